/**
 * Intervals of scores by the moving-block bootstrap over initial times (Kuensch 1989): consecutive times are alike, so
 * whole blocks of them are drawn, with replacement, until the series is as long as the original.
 */
import { Pcg64 } from "../random/pcg64.js";
import type { Seed } from "../random/seedSequence.js";

/** Fewer blocks than this say nothing about a score. */
export const MIN_BLOCKS = 10;

export interface BootstrapOptions {
  /** consecutive initial times in a block; default {@link defaultBlockLength} of the series */
  blockLength?: number;
  /** resamples; default 1000 */
  resamples?: number;
  /** of the PCG64 stream; default 0 */
  seed?: Seed;
  /** share of resamples within the interval; default 0.95 */
  level?: number;
}

export interface Interval {
  value: number;
  low: number;
  high: number;
  /** consecutive initial times in a block */
  blockLength: number;
  /** independent blocks, floor(times / blockLength) */
  blocks: number;
  /** true below {@link MIN_BLOCKS}: the interval must then not be quoted as evidence */
  tooFew: boolean;
}

/**
 * Block length for a series in time order: the first lag at which its autocorrelation falls below 1/e, but at least
 * the cube root of its length and at most the length.
 */
export function defaultBlockLength(series: ArrayLike<number>): number {
  const T = series.length;
  let shortest = 1;
  while (shortest * shortest * shortest < T) shortest++;
  let mean = 0;
  for (let i = 0; i < T; i++) mean += series[i] / T;
  const covariance = (lag: number): number => {
    let sum = 0;
    for (let i = lag; i < T; i++) sum += (series[i] - mean) * (series[i - lag] - mean);
    return sum;
  };
  const variance = covariance(0);
  // of a series of equal values rounding is left, which says nothing
  const varies = variance > 1e-24 * T * mean * mean;
  let lag = 1;
  while (varies && lag < T && covariance(lag) > variance / Math.E) lag++;
  return Math.max(1, Math.min(T, Math.max(shortest, lag)));
}

/** Linear between order statistics, as NumPy's `quantile`. `sorted` ascending. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  const position = q * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}

/**
 * Statistics of resampled series, in the order drawn; each resample serves all of them.
 *
 * @param rows [T][K] sums of each initial time, in time order
 * @param statistics of summed rows [K]
 * @returns one array [resamples] a statistic
 */
export function blockDraws(
  rows: readonly ArrayLike<number>[],
  statistics: readonly ((sums: Float64Array) => number)[],
  { blockLength, resamples = 1000, seed = 0 }: BootstrapOptions & { blockLength: number },
): Float64Array[] {
  const T = rows.length;
  const K = rows[0].length;
  const generator = new Pcg64(seed);
  const starts = T - blockLength + 1;
  const sums = new Float64Array(K);
  const draws = statistics.map(() => new Float64Array(resamples));
  // Whole blocks are added up once each: with T times a resample then costs T / blockLength rows instead of T.
  const whole: (Float64Array | undefined)[] = [];
  const wholeBlock = (start: number) => {
    whole[start] ??= total(rows.slice(start, start + blockLength));
    return whole[start];
  };
  for (let r = 0; r < resamples; r++) {
    sums.fill(0);
    for (let filled = 0; filled < T; filled += blockLength) {
      const start = Math.floor(generator.nextDouble() * starts);
      const length = Math.min(blockLength, T - filled);
      if (length === blockLength) addTo(sums, wholeBlock(start));
      else for (let t = start; t < start + length; t++) addTo(sums, rows[t]);
    }
    for (const [s, statistic] of statistics.entries()) draws[s][r] = statistic(sums);
  }
  return draws;
}

function addTo(sums: Float64Array, row: ArrayLike<number>): void {
  for (let k = 0; k < sums.length; k++) sums[k] += row[k];
}

/** As {@link blockDraws}, of one statistic. */
export function blockResamples(
  rows: readonly ArrayLike<number>[],
  statistic: (sums: Float64Array) => number,
  options: BootstrapOptions & { blockLength: number },
): Float64Array {
  return blockDraws(rows, [statistic], options)[0];
}

function total(rows: readonly ArrayLike<number>[]): Float64Array {
  const sums = new Float64Array(rows[0].length);
  for (const row of rows) addTo(sums, row);
  return sums;
}

/**
 * A statistic of sums with its percentile interval.
 *
 * @param rows [T][K] sums of each initial time, in time order, T >= 1
 * @param statistic of summed rows, such as `([n, squares]) => Math.sqrt(squares / n)`
 */
export function blockBootstrap(
  rows: readonly ArrayLike<number>[],
  statistic: (sums: Float64Array) => number,
  options: BootstrapOptions = {},
): Interval {
  const T = rows.length;
  const series = rows.map((row) => statistic(Float64Array.from(row)));
  const blockLength = Math.max(1, Math.min(T, options.blockLength ?? defaultBlockLength(series)));
  const draws = blockResamples(rows, statistic, { ...options, blockLength })
    .filter(Number.isFinite)
    .sort();
  const tail = (1 - (options.level ?? 0.95)) / 2;
  const blocks = Math.floor(T / blockLength);
  return {
    value: statistic(total(rows)),
    low: draws.length > 0 ? quantile(draws, tail) : Number.NaN,
    high: draws.length > 0 ? quantile(draws, 1 - tail) : Number.NaN,
    blockLength,
    blocks,
    tooFew: blocks < MIN_BLOCKS,
  };
}

export interface PairedTest extends Interval {
  /** two-sided: twice the smaller share of resampled differences on either side of zero, at most 1 */
  pValue: number;
  /** the interval leaves zero out and there are enough blocks */
  significant: boolean;
}

/**
 * The difference of a statistic between two forecasts of the same times, tested on the same resampled times.
 *
 * @param first [T][K] sums of the model, `second` those of the baseline; value = first - second
 */
export function pairedBootstrap(
  first: readonly ArrayLike<number>[],
  second: readonly ArrayLike<number>[],
  statistic: (sums: Float64Array) => number,
  options: BootstrapOptions = {},
): PairedTest {
  const K = first[0].length;
  const rows = first.map((row, t) => {
    const both = new Float64Array(2 * K);
    both.set(Float64Array.from(row));
    both.set(Float64Array.from(second[t]), K);
    return both;
  });
  const difference = (sums: Float64Array) => statistic(sums.subarray(0, K)) - statistic(sums.subarray(K));
  const interval = blockBootstrap(rows, difference, options);
  const draws = blockResamples(rows, difference, { ...options, blockLength: interval.blockLength });
  const finite = draws.filter(Number.isFinite);
  const above = finite.filter((d) => d >= 0).length;
  const below = finite.filter((d) => d <= 0).length;
  const pValue = finite.length > 0 ? Math.min(1, (2 * Math.min(above, below)) / finite.length) : 1;
  const significant = !interval.tooFew && (interval.low > 0 || interval.high < 0);
  return { ...interval, pValue, significant };
}
