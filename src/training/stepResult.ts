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

/**
 * @param parts what the batches' numbers stand for
 * @param numbers the batches' `numbers`, one after the other
 */
export function readResult(
  parts: readonly NumberNames[],
  numbers: ArrayLike<number>,
  gradientNorm: number,
): StepResult {
  const total = new Mean();
  const terms = new Map<string, { loss: string; field: string; mean: Mean }>();
  const mse: Mean[] = [];
  const spread: Mean[] = [];
  let at = 0;
  for (const { terms: names, hidden } of parts) {
    total.add(numbers[at++]);
    for (const { loss, field } of names) {
      const key = JSON.stringify([loss, field]);
      if (!terms.has(key)) terms.set(key, { loss, field, mean: new Mean() });
      terms.get(key)?.mean.add(numbers[at++]);
    }
    for (const means of [mse, spread]) {
      for (const [p, present] of hidden.entries()) {
        means[p] ??= new Mean();
        if (present) means[p].add(numbers[at++]);
      }
    }
  }
  return {
    total: total.value() as number,
    terms: [...terms.values()].map(({ loss, field, mean }) => ({ loss, field, value: mean.value() as number })),
    mse: mse.map((mean) => mean.value()),
    spread: spread.map((mean) => mean.value()),
    gradientNorm,
  };
}

class Mean {
  private sum = 0;
  private count = 0;

  add(value: number): void {
    this.sum += value;
    this.count++;
  }

  value(): number | null {
    return this.count === 0 ? null : this.sum / this.count;
  }
}

/** True if every number is finite. */
export function resultIsFinite({ total, terms, mse, spread, gradientNorm }: StepResult): boolean {
  const values = [total, gradientNorm, ...terms.map(({ value }) => value), ...mse, ...spread];
  return values.every((value) => value === null || Number.isFinite(value));
}
