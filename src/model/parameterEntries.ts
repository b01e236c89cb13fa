/** A row of the table of parameters, and the rows of the layers that blocks are made of. */

/** `uniform`: within +-bound; `zeros`, `ones` */
export type Init = { kind: "uniform"; bound: number } | { kind: "zeros" } | { kind: "ones" };

export interface ParameterEntry {
  name: string;
  shape: number[];
  init: Init;
  /**
   * false if no prediction depends on it: `embed_token_info.*`, which the reference keeps in its files and never uses,
   * and the last encoder layers of fields that are not predicted
   */
  trainable: boolean;
}

/** A linear layer [out, fanIn], with a bias [out] or without. */
export function linearEntry(table: ParameterEntry[], name: string, out: number, fanIn: number, bias: boolean): void {
  const init: Init = { kind: "uniform", bound: 1 / Math.sqrt(fanIn) };
  table.push({ name: `${name}.weight`, shape: [out, fanIn], init, trainable: true });
  if (bias) table.push({ name: `${name}.bias`, shape: [out], init, trainable: true });
}

/** A layer norm with weights. */
export function normEntry(table: ParameterEntry[], name: string, width: number): void {
  table.push({ name: `${name}.weight`, shape: [width], init: { kind: "ones" }, trainable: true });
  table.push({ name: `${name}.bias`, shape: [width], init: { kind: "zeros" }, trainable: true });
}
