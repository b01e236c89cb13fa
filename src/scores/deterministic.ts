/** Scores of one forecast value a point. All take optional weights, such as {@link latitudeWeights} of each point's row. */
import { AtmorepError } from "../errors.js";
import { meanOf } from "./mean.js";

type Values = ArrayLike<number>;

/** A score, or the reason why there is none. */
export type Scored = { value: number } | { refused: string };

function checkLengths(name: string, first: Values, second: Values, weights?: Values): void {
  if (first.length === second.length && first.length > 0 && (!weights || weights.length === first.length)) return;
  throw new AtmorepError("usage", "arrays differ in length or are empty", {
    where: name,
    found: [first.length, second.length, ...(weights ? [weights.length] : [])],
    expected: "one value a point in each",
  });
}

/** Weighted mean of values, such as pointwise CRPS. */
export function weightedMean(values: Values, weights?: Values): number {
  checkLengths("weightedMean", values, values, weights);
  return meanOf(values.length, weights, (i) => values[i]);
}

/**
 * Root of the mean squared error.
 * @throws {AtmorepError} `usage` when lengths differ (as do all scores here)
 */
export function rmse(prediction: Values, target: Values, weights?: Values): number {
  checkLengths("rmse", prediction, target, weights);
  return Math.sqrt(meanOf(target.length, weights, (i) => (prediction[i] - target[i]) * (prediction[i] - target[i])));
}

/** Mean absolute error. */
export function mae(prediction: Values, target: Values, weights?: Values): number {
  checkLengths("mae", prediction, target, weights);
  return meanOf(target.length, weights, (i) => Math.abs(prediction[i] - target[i]));
}

/** Mean of prediction minus target. */
export function bias(prediction: Values, target: Values, weights?: Values): number {
  checkLengths("bias", prediction, target, weights);
  return meanOf(target.length, weights, (i) => prediction[i] - target[i]);
}

/** Half-open span of time in nanoseconds since 1970, as the data's time axis; `to` is the first moment after it. */
export interface Period {
  from: bigint;
  to: bigint;
}

const DAY = 86_400_000_000_000n;

/** Why a climatology may not be used for anomalies of an evaluation; null if it may. */
export function climatologyRefusal(climatology: Period, evaluation: Period): string | null {
  const days = (climatology.to - climatology.from) / DAY;
  if (days < 365n) {
    return `the climatology covers ${days} days, under a year: its anomalies would hold the annual cycle`;
  }
  if (climatology.from < evaluation.to && evaluation.from < climatology.to) {
    return "the climatology overlaps the evaluation, so it holds the values that are to be forecast";
  }
  return null;
}

export interface AccOptions {
  /** period of the climatology and of the evaluation */
  climatologyPeriod: Period;
  evaluationPeriod: Period;
  weights?: Values;
  /** subtract the anomalies' own means (the correlation of Pearson); default false, as in Wilks (2019), Eq. 9.99 */
  centred?: boolean;
}

/**
 * Anomaly correlation coefficient: the correlation of forecast and observed departures from climatology.
 * Refused where {@link climatologyRefusal} says so, or where one of the anomalies is zero everywhere.
 */
export function acc(prediction: Values, target: Values, climatology: Values, options: AccOptions): Scored {
  const { climatologyPeriod, evaluationPeriod, weights, centred = false } = options;
  checkLengths("acc", prediction, target, weights);
  checkLengths("acc", prediction, climatology);
  const refused = climatologyRefusal(climatologyPeriod, evaluationPeriod);
  if (refused) return { refused };
  const n = target.length;
  const meanP = centred ? meanOf(n, weights, (i) => prediction[i] - climatology[i]) : 0;
  const meanT = centred ? meanOf(n, weights, (i) => target[i] - climatology[i]) : 0;
  const p = (i: number) => prediction[i] - climatology[i] - meanP;
  const t = (i: number) => target[i] - climatology[i] - meanT;
  const scale = Math.sqrt(meanOf(n, weights, (i) => p(i) * p(i)) * meanOf(n, weights, (i) => t(i) * t(i)));
  if (!(scale > 0)) return { refused: "an anomaly is zero everywhere" };
  return { value: meanOf(n, weights, (i) => p(i) * t(i)) / scale };
}
