/**
 * Intervals of scores over initial times that are not independent: Student's t with as many degrees of freedom as there
 * are independent blocks, and the long-run variance from as many cosines (Mueller, Journal of Business & Economic
 * Statistics 32 (2014); Lazarus, Lewis, Stock and Watson, same journal 36 (2018)). Few blocks make wide intervals that
 * hold, where resampled blocks make narrow ones that do not. With as many blocks as times it is the common t interval.
 */
import { cos, exp } from "../../math/index.js";
import { blockLength as lengthOf, memoryLength, overlapOf } from "./blockLength.js";
import { studentBound, studentInner } from "./studentT.js";

/** With fewer blocks not even their length is known well enough. */
export const MIN_BLOCKS = 8;

/** Sums of each initial time, in time order. */
export interface TimeSums {
  times: readonly number[];
  /** [T][K] */
  sums: readonly ArrayLike<number>[];
}

export interface IntervalOptions {
  /** consecutive initial times in a block; default by the series and the overlap */
  blockLength?: number;
  /** samples at initial times closer than this share data; default: none do */
  span?: number;
  /** probability that the interval holds; default 0.95 */
  level?: number;
}

export interface Interval {
  value: number;
  /** NaN where there is one block only, or no number */
  low: number;
  high: number;
  /** consecutive initial times in a block */
  blockLength: number;
  /** independent blocks, floor(times / blockLength): the interval's degrees of freedom */
  blocks: number;
  /** true below {@link MIN_BLOCKS}: the interval must then not be quoted as evidence */
  tooFew: boolean;
}

type Statistic = (sums: Float64Array) => number;

/**
 * What each time adds to a statistic of summed rows, by leaving it out (the jackknife's pseudo-values around zero).
 * For a mean these are the values minus their mean.
 */
function influences(rows: readonly ArrayLike<number>[], statistic: Statistic): { value: number; each: Float64Array } {
  const T = rows.length;
  const K = rows[0].length;
  // sums of the rows after each: taking a row off the total instead could leave less than nothing
  const after = new Float64Array((T + 1) * K);
  for (let t = T - 1; t >= 0; t--) {
    for (let k = 0; k < K; k++) after[t * K + k] = after[(t + 1) * K + k] + rows[t][k];
  }
  const value = statistic(after.slice(0, K));
  const before = new Float64Array(K);
  const others = new Float64Array(K);
  const each = new Float64Array(T);
  for (let t = 0; t < T; t++) {
    for (let k = 0; k < K; k++) others[k] = before[k] + after[(t + 1) * K + k];
    each[t] = (T - 1) * (value - statistic(others));
    for (let k = 0; k < K; k++) before[k] += rows[t][k];
  }
  let mean = 0;
  for (const x of each) mean += x / T;
  const rounding = each.every((x) => Math.abs(x - mean) <= 1e-15 * T * T * Math.abs(value));
  return { value, each: rounding ? new Float64Array(T) : each.map((x) => x - mean) };
}

/** Standard error of the mean of a series of mean zero, from its first `blocks` cosines. */
function standardError(series: Float64Array, blocks: number): number {
  const T = series.length;
  if (blocks >= T - 1) {
    return Math.sqrt(series.reduce((sum, x) => sum + x * x, 0) / (T - 1) / T);
  }
  const cosines = Float64Array.from({ length: 4 * T }, (_, k) => cos((Math.PI * k) / (2 * T)));
  let squares = 0;
  for (let j = 1; j <= blocks; j++) {
    let sum = 0;
    // cos(pi j (t + 1/2) / T)
    for (let t = 0, k = j; t < T; t++) {
      sum += series[t] * cosines[k];
      k += 2 * j;
      if (k >= 4 * T) k -= 4 * T;
    }
    squares += (2 * sum * sum) / T;
  }
  return Math.sqrt(squares / blocks / T);
}

/** Series of fewer lengths of their memory than this have wider intervals, at the limit by these shares. */
const SURE = 16;
const WIDER = 0.22;
const WIDER_POSITIVE = 0.72;

/**
 * Series near the limit of "too few" are answered where they look tame by chance, and then their variance looks smaller
 * than it is: their intervals are wider, most of all those of scores that cannot be negative, where a tame series has a
 * low score too. The shares are set so that intervals hold where only a part of the histories is answered
 * (`docs/intervals.md`).
 */
function widening(series: Float64Array, positive: boolean): number {
  const lengths = series.length / memoryLength(series);
  const near = Math.min(1, Math.max(0, (SURE - lengths) / (SURE - MIN_BLOCKS)));
  return 1 + (positive ? WIDER_POSITIVE : WIDER) * Math.sqrt(near);
}

interface Estimate {
  value: number;
  error: number;
  /** degrees of freedom of `error` */
  freedom: number;
  blockLength: number;
  blocks: number;
}

function estimate(
  { times, sums }: TimeSums,
  statistic: Statistic,
  options: IntervalOptions & { positive?: boolean },
): Estimate {
  const T = sums.length;
  const { value, each } = influences(sums, statistic);
  const overlap = options.span === undefined ? 1 : overlapOf(times, options.span);
  const asked = options.blockLength ?? lengthOf(each, overlap);
  const blockLength = Math.max(1, Math.min(T, asked));
  const blocks = Math.floor(T / blockLength);
  const freedom = Math.min(blocks, T - 1);
  const wider = options.blockLength === undefined ? widening(each, options.positive ?? false) : 1;
  const error = blocks < 2 || freedom < 1 ? Number.NaN : wider * standardError(each, blocks);
  return { value, error, freedom, blockLength, blocks };
}

/** @param positive the score cannot be negative: the interval is then one of its logarithm */
function intervalOf(
  { value, error, freedom, blockLength, blocks }: Estimate,
  level: number,
  positive: boolean,
): Interval {
  const reach = Number.isNaN(error) ? Number.NaN : error * studentBound(level, freedom);
  const [low, high] =
    positive && value > 0 ? [value * exp(-reach / value), value * exp(reach / value)] : [value - reach, value + reach];
  return { value, low, high, blockLength, blocks, tooFew: blocks < MIN_BLOCKS };
}

/**
 * A statistic of sums with its interval.
 *
 * @param series sums of each initial time, in time order, at least one
 * @param statistic of summed rows [K], such as `([n, squares]) => Math.sqrt(squares / n)`
 * @param options `positive`: the statistic cannot be negative (an RMSE; not a bias, not a difference)
 */
export function scoreInterval(
  series: TimeSums,
  statistic: Statistic,
  { positive = false, ...options }: IntervalOptions & { positive?: boolean } = {},
): Interval {
  return intervalOf(estimate(series, statistic, { ...options, positive }), options.level ?? 0.95, positive);
}

export interface PairedTest extends Interval {
  /** two-sided: probability of a difference as large, were there none; 1 where that cannot be told */
  pValue: number;
  /** the interval leaves zero out and there are enough blocks */
  significant: boolean;
}

/**
 * The difference of a statistic between two forecasts of the same times, which share the weather and so most of their
 * chance. The one test behind `minusBest` and the verdict.
 *
 * @param first sums [T][K] of the model, `second` those of the baseline; value = first - second
 */
export function pairedTest(
  first: TimeSums,
  second: TimeSums,
  statistic: Statistic,
  options: IntervalOptions = {},
): PairedTest {
  const K = first.sums[0].length;
  const sums = first.sums.map((row, t) => {
    const both = new Float64Array(2 * K);
    both.set(Float64Array.from(row));
    both.set(Float64Array.from(second.sums[t]), K);
    return both;
  });
  const difference = (both: Float64Array) => statistic(both.subarray(0, K)) - statistic(both.subarray(K));
  const found = estimate({ times: first.times, sums }, difference, options);
  const interval = intervalOf(found, options.level ?? 0.95, false);
  const ratio = Math.abs(found.value) / found.error;
  // rounding may take a certain difference beyond certainty
  const pValue = Number.isNaN(ratio) ? 1 : Math.max(0, 1 - studentInner(ratio, found.freedom));
  return { ...interval, pValue, significant: !interval.tooFew && (interval.low > 0 || interval.high < 0) };
}
