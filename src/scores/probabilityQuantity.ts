/**
 * Scores of probabilities, quantiles and tails as a stream, and the sums that reliability diagrams and the comparison of
 * spread and error are made of. Thresholds are given in normalised units: -1 is one standard deviation of the
 * normalisation below its mean.
 */
import { crpsTail, membersAbove, quantileOfSorted, quantileScore } from "./probability.js";
import { memberReader, type PointBatch, perWeight, type Quantity } from "./quantity.js";

/** Thresholds of events, in standard deviations from the normalisation's mean, and what scores call them. */
export const THRESHOLDS = [
  { value: -1, name: "minus_1sd" },
  { value: 0, name: "mean" },
  { value: 1, name: "plus_1sd" },
] as const;

const LEVELS = [0.1, 0.5, 0.9] as const;

/** Bins of the members' variance in normalised units end at 2^-14, 2^-13, ... 2^4; those below and above are open. */
const VARIANCE_EDGES = Array.from({ length: 19 }, (_, k) => (k < 14 ? 1 / 2 ** (14 - k) : 2 ** (k - 14)));
export const SPREAD_BINS = VARIANCE_EDGES.length + 1;

/** The bin of a variance in normalised units. */
export function spreadBin(variance: number): number {
  let bin = 0;
  while (bin < VARIANCE_EDGES.length && variance >= VARIANCE_EDGES[bin]) bin++;
  return bin;
}

/** Where the numbers of this quantity stand: scores first, then sums by threshold and by spread. */
export const PROBABILITY_SUMS = {
  brier: 0,
  below: THRESHOLDS.length,
  above: THRESHOLDS.length + 1,
  quantiles: THRESHOLDS.length + 2,
  /** [threshold][members above 0 to E][weight of points without the event, with it] */
  events: THRESHOLDS.length + 2 + LEVELS.length,
} as const;

/** Where the sums by spread begin: [bin][weight, variance, squared error of the mean], physical units. */
export const spreadSumsAt = (E: number): number => PROBABILITY_SUMS.events + THRESHOLDS.length * 2 * (E + 1);

/**
 * Scores of E members: `brier_minus_1sd`, `brier_mean`, `brier_plus_1sd` (the share of members at or above the
 * normalisation's mean plus -1, 0, 1 standard deviations), `crps_below_minus_1sd`, `crps_above_plus_1sd`
 * (threshold-weighted), `quantile_10`, `quantile_50`, `quantile_90` (quantile score of the members' quantiles).
 */
export function probabilityQuantity(E: number): Quantity {
  const at = PROBABILITY_SUMS;
  const briers = THRESHOLDS.map(({ name }, k) => [`brier_${name}`, perWeight(at.brier + k)] as const);
  const quantiles = LEVELS.map((level, k) => [`quantile_${100 * level}`, perWeight(at.quantiles + k)] as const);
  const scores = Object.fromEntries([
    ...briers,
    ["crps_below_minus_1sd", perWeight(at.below)] as const,
    ["crps_above_plus_1sd", perWeight(at.above)] as const,
    ...quantiles,
  ]);
  return {
    name: "probability",
    width: spreadSumsAt(E) + 3 * SPREAD_BINS,
    visitor: (batch) => visitor(batch, E),
    scores,
    unitless: briers.map(([name]) => name),
    positive: Object.keys(scores),
  };
}

function visitor(batch: PointBatch, E: number) {
  const read = memberReader(batch, E);
  const { target } = batch;
  const values = new Float64Array(E);
  const at = PROBABILITY_SUMS;
  const spreads = spreadSumsAt(E);
  return (sums: Float64Array, from: number, point: number, std: number, weight: number) => {
    const mean = read(point, values);
    values.sort();
    const truth = target[point];
    for (let k = 0; k < THRESHOLDS.length; k++) {
      const threshold = THRESHOLDS[k].value;
      const above = membersAbove(values, threshold);
      const event = truth >= threshold ? 1 : 0;
      sums[from + at.brier + k] += weight * (above / E - event) * (above / E - event);
      sums[from + at.events + (k * (E + 1) + above) * 2 + event] += weight;
    }
    // most points lie wholly on one side, where this score is zero
    if (values[0] < -1 || truth < -1) sums[from + at.below] += weight * std * crpsTail(values, truth, -1, "below");
    if (values[E - 1] > 1 || truth > 1) sums[from + at.above] += weight * std * crpsTail(values, truth, 1, "above");
    for (let k = 0; k < LEVELS.length; k++) {
      const quantile = quantileOfSorted(values, LEVELS[k]);
      sums[from + at.quantiles + k] += weight * std * quantileScore(quantile, truth, LEVELS[k]);
    }
    if (E < 2) return;
    let variance = 0;
    for (let e = 0; e < E; e++) variance += ((values[e] - mean) * (values[e] - mean)) / (E - 1);
    const place = from + spreads + 3 * spreadBin(variance);
    sums[place] += weight;
    sums[place + 1] += weight * std * std * variance;
    sums[place + 2] += weight * std * std * (mean - truth) * (mean - truth);
  };
}
