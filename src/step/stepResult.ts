/** The numbers of a step: those of its batches averaged, over all processes. */
import type { BatchNumbers } from "./stepNumbers.js";

/** Numbers averaged over the batches of a step. */
export interface StepResult extends BatchNumbers {
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

export function resultSums(batches: readonly BatchNumbers[]): ResultSums {
  const sums: ResultSums = { total: zero(), terms: [], mse: [], spread: [] };
  for (const { total, terms, mse, spread } of batches) {
    add(sums.total, one(total));
    for (const { loss, field, value } of terms) add(termOf(sums, loss, field), one(value));
    addFields(sums, { mse: mse.map(one), spread: spread.map(one) });
  }
  return sums;
}

/** The sums over all of them, in their order. */
export function mergeSums(all: readonly ResultSums[]): ResultSums {
  const merged: ResultSums = { total: zero(), terms: [], mse: [], spread: [] };
  for (const { total, terms, mse, spread } of all) {
    add(merged.total, total);
    for (const { loss, field, value } of terms) add(termOf(merged, loss, field), value);
    addFields(merged, { mse, spread });
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

/** What is not there does not count. */
const one = (value: number | null): Sum => (value === null ? zero() : { sum: value, count: 1 });

const mean = ({ sum, count }: Sum): number | null => (count === 0 ? null : sum / count);

function add(to: Sum, { sum, count }: Sum): void {
  to.sum += sum;
  to.count += count;
}

function addFields(to: ResultSums, from: Pick<ResultSums, "mse" | "spread">): void {
  for (const kind of ["mse", "spread"] as const) {
    for (const [p, value] of from[kind].entries()) {
      to[kind][p] ??= zero();
      add(to[kind][p], value);
    }
  }
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
