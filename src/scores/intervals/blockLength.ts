/** How many consecutive initial times belong together: as many as share data, and as many as errors stay alike over. */

import { log, pow } from "../../math/index.js";

/** More blocks than this would narrow an interval by less than 1 %. */
const MOST_BLOCKS = 100;
/** The optimal length makes the error of a variance least; what makes intervals hold is longer (see docs/intervals.md). */
const LONGER = 1.25;
/** 98.8 % of a normal distribution lie below this many standard deviations: few series get by on a tame look. */
const UPPER = 2.25;
/** Lags that may show a memory which the first one hides, as oscillations and slow tails do. */
const LAGS = 4;
/** Standard deviations of chance that such a lag must exceed. */
const SURE_LAG = 2;

const cubeRoot = (x: number): number => pow(x, 1 / 3);

/** A series minus its mean; zeros where rounding is all that is left. */
function deviationsOf(series: ArrayLike<number>): Float64Array {
  const T = series.length;
  let mean = 0;
  for (let t = 0; t < T; t++) mean += series[t] / T;
  const deviations = Float64Array.from(series, (x) => x - mean);
  return deviations.every((x) => Math.abs(x) <= 1e-12 * Math.abs(mean)) ? new Float64Array(T) : deviations;
}

/** Sums of products of deviations at lags 0 to `last`. */
function products(deviations: Float64Array, last: number): Float64Array {
  return Float64Array.from({ length: last + 1 }, (_, lag) => {
    let sum = 0;
    for (let t = lag; t < deviations.length; t++) sum += deviations[t] * deviations[t - lag];
    return sum;
  });
}

/**
 * Optimal block length of the circular block bootstrap, not rounded: Politis and White, Econometric Reviews 23 (2004),
 * with the correction of Patton, Politis and White, Econometric Reviews 28 (2009). 1 if the series does not vary or
 * is shorter than 10.
 */
export function automaticBlockLength(series: ArrayLike<number>): number {
  const T = series.length;
  if (T < 10) return 1;
  const run = Math.max(5, String(T).length - 1);
  const last = Math.min(Math.ceil(Math.sqrt(T)) + run, T - 1);
  const deviations = deviationsOf(series);
  const covariances = products(deviations, last);
  const small = smallCorrelations(deviations, covariances, 2 * Math.sqrt(log(T) / Math.LN10 / T));
  // the lag before the first `run` correlations in a row that could be chance
  let lag: number | null = null;
  for (let i = run; i <= last && lag === null; i++) {
    if (small.slice(i - run, i).every(Boolean)) lag = i - run;
  }
  const window = Math.min(lag === null ? last : 2 * Math.max(lag, 1), last);
  let slope = 0;
  let longRun = covariances[0];
  for (let k = 1; k <= window; k++) {
    const weight = k / window <= 0.5 ? 1 : 2 * (1 - k / window);
    slope += 2 * weight * k * covariances[k];
    longRun += 2 * weight * covariances[k];
  }
  const length = cubeRoot((2 * slope * slope * T) / ((4 / 3) * longRun * longRun));
  const longest = Math.ceil(Math.min(3 * Math.sqrt(T), T / 3));
  return Number.isNaN(length) ? 1 : Math.min(length, longest);
}

/** Which correlations are below `bound`; that at lag k is scaled by what is left without the first and last k + 1 values. */
function smallCorrelations(deviations: Float64Array, covariances: Float64Array, bound: number): boolean[] {
  let [withoutFirst, withoutLast] = [covariances[0], covariances[0]];
  return Array.from(covariances, (covariance, lag) => {
    withoutFirst -= deviations[lag] * deviations[lag];
    const last = deviations[deviations.length - 1 - lag];
    withoutLast -= last * last;
    return Math.abs(covariance) < bound * Math.sqrt(withoutFirst * withoutLast);
  });
}

/** The optimal length if `ratio` is the sum of |lag| times covariance over the sum of covariances, both over all lags. */
const optimal = (ratio: number, T: number): number => cubeRoot(1.5 * ratio * ratio * T);

/**
 * The correlation at lag 1 of an autoregression of first order that forgets as slowly as the series: its own, or the k-th
 * root of that at lag k where this is larger and no chance.
 */
function slowestCorrelation(series: ArrayLike<number>): number {
  const T = series.length;
  const [variance, ...covariances] = products(deviationsOf(series), Math.min(LAGS, T - 1));
  if (!(variance > 0)) return Number.NaN;
  const chance = SURE_LAG / Math.sqrt(T);
  const roots = covariances.map((covariance, i) => {
    const correlation = covariance / variance;
    if (i === 0) return correlation;
    return correlation > chance ? pow(correlation, 1 / (i + 1)) : -1;
  });
  return Math.max(...roots);
}

/**
 * The optimal length of an autoregression of first order (Andrews, Econometrica 59 (1991)) whose correlation at lag 1 is
 * as high as it may well be: freed of its bias (Kendall, Biometrika 41 (1954)) and at the upper end of its uncertainty.
 */
function autoregressiveLength(series: ArrayLike<number>): number {
  const T = series.length;
  if (T < 3) return 1;
  const correlation = slowestCorrelation(series);
  if (Number.isNaN(correlation)) return 1;
  const unbiased = Math.min(correlation + (1 + 3 * correlation) / T, 1);
  const upper = unbiased + UPPER * Math.sqrt(Math.max(0, 1 - unbiased * unbiased) / T);
  const bounded = Math.min(Math.max(upper, 0), 0.98);
  return optimal((2 * bounded) / (1 - bounded * bounded), T);
}

/**
 * Over how many times values stay alike, as far as the series itself tells: 1.25 times the longer of the automatic and
 * the autoregressive length.
 */
export const memoryLength = (series: ArrayLike<number>): number =>
  LONGER * Math.max(automaticBlockLength(series), autoregressiveLength(series));

/** The most initial times that share data with one of them and its followers: those less than `span` later. */
export function overlapOf(times: ArrayLike<number>, span: number): number {
  let most = 1;
  let first = 0;
  for (let last = 0; last < times.length; last++) {
    while (times[last] - times[first] >= span && first < last) first++;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

/**
 * Initial times in a block: no fewer than share data, than the optimal length of sums of so many independent values,
 * than 1.25 times the automatic and the autoregressive length of the series, than the cube root of its own length, and
 * than leaves 100 blocks. At most the series.
 *
 * @param series in time order, a value an initial time
 * @param overlap initial times that share data, {@link overlapOf}
 */
export function blockLength(series: ArrayLike<number>, overlap = 1): number {
  const T = series.length;
  const length = Math.max(
    overlap,
    optimal((overlap - 1 / overlap) / 3, T),
    memoryLength(series),
    cubeRoot(T),
    T / MOST_BLOCKS,
  );
  // a cube root may miss a whole number by its last bit
  return Math.max(1, Math.min(T, Math.ceil(length - 1e-9)));
}
