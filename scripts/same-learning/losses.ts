/** How far two curves of losses lie apart. */
import type { StepLosses } from "./ours.js";

/** Of a loss, at every step. */
export const TOLERANCE = 1e-4;

/** What the tests keep of a run of the original. */
export interface Recorded {
  /** SHA-256 of weights and batches, by number of steps */
  sha256: Record<number, string>;
  original: StepLosses[];
}

export interface Difference {
  /** largest |a - b| / |b| */
  relative: number;
  /** step from 1, and which loss */
  step: number;
  what: string;
}

/** @throws Error if the curves have different lengths, losses or learning rates */
export function largestDifference(a: readonly StepLosses[], b: readonly StepLosses[]): Difference {
  if (a.length !== b.length) throw new Error(`${a.length} steps against ${b.length}`);
  let largest: Difference = { relative: 0, step: 1, what: "total" };
  for (const [k, ours] of a.entries()) {
    const theirs = b[k];
    if (Math.abs(ours.lr - theirs.lr) > 1e-12) throw new Error(`step ${k + 1}: learning rate ${ours.lr}, ${theirs.lr}`);
    const [left, right] = [ours, theirs].map(named);
    if (left.map(([what]) => what).join() !== right.map(([what]) => what).join()) throw new Error("other losses");
    for (const [i, [what, value]] of left.entries()) {
      const relative = Math.abs(value - right[i][1]) / Math.abs(right[i][1]);
      if (!(relative <= largest.relative)) largest = { relative, step: k + 1, what };
    }
  }
  return largest;
}

function named({ total, mse, terms }: StepLosses): [what: string, value: number][] {
  const single = Object.entries(terms).flatMap(([loss, values]) =>
    values.map((value, p): [string, number] => [`${loss} of field ${p}`, value]),
  );
  return [["total", total], ["mean squared error", mse], ...single];
}
