/** Numbers of an array in short. */
import { formatNumber } from "../figure/text.js";

export interface Statistics {
  min: number;
  mean: number;
  max: number;
  /** of the population */
  std: number;
  /** values that are no finite numbers, or that `counts` leaves out */
  missing: number;
}

/** @param counts of each value whether it counts; all do if not given. All NaN where nothing counts. */
export function statisticsOf(values: ArrayLike<number>, counts: ArrayLike<number> | null = null): Statistics {
  let [min, max, sum, squares, n] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0, 0];
  const taken = (i: number) => Number.isFinite(values[i]) && (counts === null || counts[i] !== 0);
  for (let i = 0; i < values.length; i++) {
    if (!taken(i)) continue;
    n++;
    min = Math.min(min, values[i]);
    max = Math.max(max, values[i]);
    sum += values[i];
  }
  const missing = values.length - n;
  if (n === 0) return { min: Number.NaN, mean: Number.NaN, max: Number.NaN, std: Number.NaN, missing };
  const mean = sum / n;
  for (let i = 0; i < values.length; i++) if (taken(i)) squares += (values[i] - mean) * (values[i] - mean);
  return { min, mean, max, std: Math.sqrt(squares / n), missing };
}

/** `min -2, mean 0, max 3, std 1`, and how many are missing. */
export function statisticsText({ min, mean, max, std, missing }: Statistics): string {
  const [a, b, c, d] = [min, mean, max, std].map(formatNumber);
  return `min ${a}, mean ${b}, max ${c}, std ${d}${missing > 0 ? `, ${missing.toLocaleString("en-US")} missing` : ""}`;
}
