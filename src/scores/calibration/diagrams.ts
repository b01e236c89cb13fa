/**
 * Diagrams of calibration out of sums by initial time, each with the range in which a calibrated forecast lies in 95 of
 * 100 cases: as wide as the interval of the deviation over independent blocks of times (docs/intervals.md), around what
 * calibration expects.
 */
import { type IntervalOptions, MIN_BLOCKS, scoreInterval, type TimeSums } from "../intervals/intervals.js";

/** A share or frequency beside what a calibrated forecast would show. */
export interface Consistency {
  observed: number;
  expected: number;
  /** consistency bar around `expected`; null where there is one block only */
  low: number | null;
  high: number | null;
  /** set where fewer than eight independent blocks, or fewer than eight times, say something about it */
  note?: "too few to tell";
}

/** One bin of a reliability diagram. */
export interface ReliabilityBin extends Consistency {
  /** mean probability that was forecast */
  probability: number;
  /** share of all points in this bin */
  share: number;
}

export interface SpreadErrorBin {
  /** root mean square spread, widened so that a calibrated ensemble's equals its error (Fortin et al. 2014) */
  spread: number;
  /** RMSE of the mean, with its 95 % interval */
  error: number;
  low: number | null;
  high: number | null;
  share: number;
  note?: "too few to tell";
}

/** @param times how many initial times have points that count here */
function consistency(
  series: TimeSums,
  observed: (sums: Float64Array) => number,
  expected: (sums: Float64Array) => number,
  options: IntervalOptions,
  times: number,
): Consistency {
  const total = totalOf(series);
  const found = scoreInterval(series, (sums) => finite(observed(sums) - expected(sums)), options);
  const centre = expected(total);
  const reach = (found.high - found.low) / 2;
  return {
    observed: observed(total),
    expected: centre,
    low: Number.isFinite(reach) ? Math.max(0, centre - reach) : null,
    high: Number.isFinite(reach) ? Math.min(1, centre + reach) : null,
    ...(found.tooFew || times < MIN_BLOCKS ? { note: "too few to tell" as const } : {}),
  };
}

/** A bin that is empty without one of its times deviates by nothing. */
const finite = (x: number): number => (Number.isFinite(x) ? x : 0);

export function totalOf({ sums }: TimeSums): Float64Array {
  const total = new Float64Array(sums[0].length);
  for (const row of sums) for (let k = 0; k < total.length; k++) total[k] += row[k];
  return total;
}

/** Rows of some columns only: what a statistic does not read only makes its interval slow. */
export const columnsOf = ({ times, sums }: TimeSums, columns: readonly number[]): TimeSums => ({
  times,
  sums: sums.map((row) => Float64Array.from(columns, (k) => row[k])),
});

const timesWith = ({ sums }: TimeSums, has: (row: ArrayLike<number>) => boolean): number => sums.filter(has).length;

/**
 * Shares of classes that are equally likely for a calibrated forecast: ranks of the target among members, or its
 * probability integral transform in bins.
 * @param series sums [T][K] of the K classes' weights
 */
export function flatness(series: TimeSums, options: IntervalOptions): Consistency[] {
  const K = series.sums[0].length;
  return Array.from({ length: K }, (_, k) => {
    const rows: TimeSums = {
      times: series.times,
      sums: series.sums.map((row) =>
        Float64Array.of(
          row[k],
          Float64Array.from(row).reduce((a, b) => a + b, 0),
        ),
      ),
    };
    return consistency(
      rows,
      ([own, all]) => own / all,
      () => 1 / K,
      options,
      rows.sums.length,
    );
  });
}

/**
 * Reliability of shares of E members that reach a threshold. Even a calibrated ensemble does not lie on the diagonal if it
 * is small: of E + 1 exchangeable values, target included, of which n reach the threshold, the target is one with
 * probability n / (E + 1). How often n occurs is known from the forecasts themselves, and gives what to expect where k
 * members reach it; with many members that is k / E.
 * @param series sums [T][2 (E + 1)]: weights of points without and with the event, by the number of members above
 */
export function memberReliability(series: TimeSums, options: IntervalOptions): ReliabilityBin[] {
  const E = series.sums[0].length / 2 - 1;
  const all = totalOf(series).reduce((a, b) => a + b, 0);
  const bins: ReliabilityBin[] = [];
  for (let k = 0; k <= E; k++) {
    // of k members without the event, k with it, k - 1 with it, k + 1 without it
    const columns = [2 * k, 2 * k + 1, ...(k > 0 ? [2 * k - 1] : []), ...(k < E ? [2 * k + 2] : [])];
    const rows = columnsOf(series, columns);
    const total = totalOf(rows);
    const inBin = total[0] + total[1];
    if (!(inBin > 0)) continue;
    const expected = (sums: Float64Array) => {
      const [before, after] = [k > 0 ? sums[2] : 0, k < E ? sums[k > 0 ? 3 : 2] : 0];
      const without = ((E + 1 - k) * (sums[0] + before)) / (E + 1);
      const having = ((k + 1) * (sums[1] + after)) / (E + 1);
      return having / (having + without);
    };
    bins.push({
      probability: k / E,
      share: inBin / all,
      ...consistency(
        rows,
        (sums) => sums[1] / (sums[0] + sums[1]),
        expected,
        options,
        timesWith(rows, (row) => row[0] + row[1] > 0),
      ),
    });
  }
  return bins;
}

/**
 * Reliability of probabilities of any value, in bins.
 * @param series sums [T][3 bins]: of each bin weights, weights times probability, weights of points with the event
 */
export function binnedReliability(series: TimeSums, options: IntervalOptions): ReliabilityBin[] {
  const total = totalOf(series);
  const all = total.filter((_, k) => k % 3 === 0).reduce((a, b) => a + b, 0);
  const bins: ReliabilityBin[] = [];
  for (let k = 0; k < total.length; k += 3) {
    if (!(total[k] > 0)) continue;
    const rows = columnsOf(series, [k, k + 1, k + 2]);
    const mean = (sums: Float64Array) => sums[1] / sums[0];
    bins.push({
      probability: total[k + 1] / total[k],
      share: total[k] / all,
      ...consistency(
        rows,
        (sums) => sums[2] / sums[0],
        mean,
        options,
        timesWith(rows, (row) => row[0] > 0),
      ),
    });
  }
  return bins;
}

/** A bin of spread holds at least this share of the points: narrower ones are joined. */
const LEAST_SHARE = 0.08;

/**
 * Error of the mean by spread.
 * @param series sums [T][3 bins]: of each bin, by ascending spread, weights, variances, squared errors
 * @param widening of variances: (E + 1) / E for E members, 1 for a distribution
 */
export function spreadError(series: TimeSums, widening: number, options: IntervalOptions): SpreadErrorBin[] {
  const total = totalOf(series);
  const starts = Array.from({ length: total.length / 3 }, (_, k) => 3 * k);
  const all = starts.reduce((sum, k) => sum + total[k], 0);
  const groups: number[][] = [];
  let [open, weight] = [[] as number[], 0];
  for (const k of starts) {
    if (!(total[k] > 0)) continue;
    open.push(k);
    weight += total[k];
    if (weight < LEAST_SHARE * all) continue;
    groups.push(open);
    [open, weight] = [[], 0];
  }
  // what is left over joins the last bin
  if (open.length > 0) groups.push([...(groups.pop() ?? []), ...open]);
  return groups.map((group) => {
    const rows: TimeSums = {
      times: series.times,
      sums: series.sums.map((row) =>
        Float64Array.from([0, 1, 2], (part) => group.reduce((sum, k) => sum + row[k + part], 0)),
      ),
    };
    const sums = totalOf(rows);
    const error = scoreInterval(rows, ([w, , squares]) => finite(Math.sqrt(squares / w)), {
      ...options,
      positive: true,
    });
    const known = Number.isFinite(error.low) && Number.isFinite(error.high);
    const few = error.tooFew || timesWith(rows, (row) => row[0] > 0) < MIN_BLOCKS;
    return {
      spread: Math.sqrt((widening * sums[1]) / sums[0]),
      error: error.value,
      low: known ? error.low : null,
      high: known ? error.high : null,
      share: sums[0] / all,
      ...(few ? { note: "too few to tell" as const } : {}),
    };
  });
}
