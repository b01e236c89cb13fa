/** What a kernel is told beside its tensors: the shapes of its outputs, its scratch space, its parameters. */

export interface Plan {
  outputs: readonly (readonly number[])[];
  /** floats */
  scratch?: number;
  parameters: readonly number[];
}

/** As whole numbers one after the other: rank and sizes of each output, floats of scratch space, parameters. */
export const plan = ({ outputs, scratch = 0, parameters }: Plan): number[] => [
  ...outputs.flatMap((shape) => [shape.length, ...shape]),
  scratch,
  ...parameters,
];

/** The shapes of `count` outputs, of the numbers that `plan` gives. */
export function outputShapes(numbers: readonly number[], count: number): number[][] {
  let at = 0;
  return Array.from({ length: count }, () => {
    const rank = numbers[at];
    at += rank + 1;
    return numbers.slice(at - rank, at);
  });
}
