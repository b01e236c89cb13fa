/** The numbers of a step, read from the device at once. */
import type { NumberNames } from "./batchGradients.js";

/** Averaged over the batches of the step. */
export interface StepResult {
  /** weighted total */
  total: number;
  /** each loss of each field; a field without hidden tokens has none */
  terms: { loss: string; field: string; value: number }[];
  /** mean squared error of the ensemble mean, per predicted field; null without hidden tokens */
  mse: (number | null)[];
  /** mean spread, per predicted field; null without hidden tokens */
  spread: (number | null)[];
  /** norm of the averaged gradients, before clipping */
  gradientNorm: number;
}

/** The numbers of some batches of a step; plain data, so that processes can send them. */
export interface ResultSums {
  total: Sum;
  terms: { loss: string; field: string; value: Sum }[];
  mse: Sum[];
  spread: Sum[];
}

interface Sum {
  sum: number;
  count: number;
}

/**
 * @param parts what the batches' numbers stand for
 * @param numbers the batches' `numbers`, one after the other
 */
export function resultSums(parts: readonly NumberNames[], numbers: ArrayLike<number>): ResultSums {
  const sums: ResultSums = { total: zero(), terms: [], mse: [], spread: [] };
  let at = 0;
  for (const { terms, hidden } of parts) {
    add(sums.total, { sum: numbers[at++], count: 1 });
    for (const { loss, field } of terms) add(termOf(sums, loss, field), { sum: numbers[at++], count: 1 });
    for (const values of [sums.mse, sums.spread]) {
      for (const [p, present] of hidden.entries()) {
        values[p] ??= zero();
        if (present) add(values[p], { sum: numbers[at++], count: 1 });
      }
    }
  }
  return sums;
}

/** The sums over all of them, in their order. */
export function mergeSums(all: readonly ResultSums[]): ResultSums {
  const merged: ResultSums = { total: zero(), terms: [], mse: [], spread: [] };
  for (const { total, terms, mse, spread } of all) {
    add(merged.total, total);
    for (const { loss, field, value } of terms) add(termOf(merged, loss, field), value);
    for (const [to, from] of [
      [merged.mse, mse],
      [merged.spread, spread],
    ]) {
      for (const [p, value] of from.entries()) {
        to[p] ??= zero();
        add(to[p], value);
      }
    }
  }
  return merged;
}

/** Averages over the batches. */
export function readResult({ total, terms, mse, spread }: ResultSums, gradientNorm: number): StepResult {
  return {
    total: mean(total) as number,
    terms: terms.map(({ loss, field, value }) => ({ loss, field, value: mean(value) as number })),
    mse: mse.map(mean),
    spread: spread.map(mean),
    gradientNorm,
  };
}

const zero = (): Sum => ({ sum: 0, count: 0 });

const mean = ({ sum, count }: Sum): number | null => (count === 0 ? null : sum / count);

function add(to: Sum, { sum, count }: Sum): void {
  to.sum += sum;
  to.count += count;
}

function termOf({ terms }: ResultSums, loss: string, field: string): Sum {
  const found = terms.find((term) => term.loss === loss && term.field === field);
  if (found) return found.value;
  const value = zero();
  terms.push({ loss, field, value });
  return value;
}

/** True if every number is finite. */
export function resultIsFinite({ total, terms, mse, spread, gradientNorm }: StepResult): boolean {
  const values = [total, gradientNorm, ...terms.map(({ value }) => value), ...mse, ...spread];
  return values.every((value) => value === null || Number.isFinite(value));
}
