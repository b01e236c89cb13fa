/** Fitting post-hoc calibration to one part of the times and applying it to another. */
import { type EmosParameters, emosDistribution, emosFit } from "./emos.js";
import type { SampledPoints } from "./sample.js";

/** Parts that times are cut into, one after the other, where the same times are fitted to and scored. */
const FOLDS = 5;
/** Four numbers want many more points, and more than one weather. */
const LEAST_POINTS = 100;
const LEAST_TIMES = 4;

/** Parameters of one field, in normalised units: `a` in standard deviations of the normalisation, `c` in their squares. */
export interface FittedEmos extends EmosParameters {
  level: number;
  /** time steps, or all of a level together where single ones have too few points */
  lead: number | "all";
  /** points and initial times fitted to */
  points: number;
  times: number;
}

export interface Calibrated {
  /** of every point: mean and standard deviation of its distribution, normalised; NaN where it was not fitted */
  mean: Float64Array;
  std: Float64Array;
}

/** Parameters by level and lead out of those points of a level that `use` says; the reason if they are too few. */
function fitLevel(points: SampledPoints, use: (time: number) => boolean): FittedEmos[] | { refused: string } {
  const kept = [...points.time.keys()].filter((i) => use(points.time[i]));
  const leads = [...new Set(kept.map((i) => points.lead[i]))].sort((a, b) => a - b);
  const enough = (own: readonly number[]) =>
    own.length >= LEAST_POINTS && new Set(own.map((i) => points.time[i])).size >= LEAST_TIMES;
  const byLead = leads.map((lead) => ({ lead, own: kept.filter((i) => points.lead[i] === lead) }));
  const groups = byLead.every(({ own }) => enough(own)) ? byLead : [{ lead: "all" as const, own: kept }];
  if (groups.length === 0 || !groups.every(({ own }) => enough(own))) {
    const times = new Set(kept.map((i) => points.time[i])).size;
    return {
      refused: `${kept.length} points at ${times} initial times that share no data with those scored are left to fit to; ${LEAST_POINTS} at ${LEAST_TIMES} are the least`,
    };
  }
  return groups.map(({ lead, own }) => {
    const of = (values: Float64Array) => Float64Array.from(own, (i) => values[i]);
    const { target, mean, variance, weight } = points;
    // in physical units a point counts by its standard deviation, as in the CRPS that is told
    const weights = Float64Array.from(own, (i) => weight[i] * points.std[i]);
    const { a, b, c, d } = emosFit({ target: of(target), mean: of(mean), variance: of(variance), weights });
    const times = new Set(own.map((i) => points.time[i])).size;
    return { level: points.level, lead, a, b, c, d, points: own.length, times };
  });
}

/** Parameters of a level from all of its points. */
export const fitAll = (points: SampledPoints): FittedEmos[] | { refused: string } => fitLevel(points, () => true);

/** Applies parameters to the points of a level; NaN where there are none for a point's lead. */
export function applyFit(points: SampledPoints, fitted: readonly FittedEmos[]): Calibrated {
  const byLead = new Map(fitted.filter(({ level }) => level === points.level).map((fit) => [fit.lead, fit]));
  const of = (i: number) => byLead.get(points.lead[i]) ?? byLead.get("all");
  const each = Array.from(points.time, (_, i) => {
    const fit = of(i);
    return fit ? emosDistribution(fit, points.mean[i], points.variance[i]) : { mean: Number.NaN, std: Number.NaN };
  });
  return { mean: Float64Array.from(each, (x) => x.mean), std: Float64Array.from(each, (x) => x.std) };
}

/**
 * Calibrates each of five spans of times with what was fitted to the others, without those times that share data with it.
 * @param times every initial time of the evaluation
 * @param span initial times closer than this share data
 */
export function crossFit(
  points: SampledPoints,
  times: readonly number[],
  span: number,
): (Calibrated & { folds: number }) | { refused: string } {
  const ordered = [...new Set(times)].sort((a, b) => a - b);
  const folds = Math.min(FOLDS, ordered.length);
  const mean = new Float64Array(points.time.length).fill(Number.NaN);
  const std = new Float64Array(points.time.length).fill(Number.NaN);
  if (folds < 2) return { refused: "all points are of one initial time" };
  for (let f = 0; f < folds; f++) {
    const own = ordered.slice(Math.floor((f * ordered.length) / folds), Math.floor(((f + 1) * ordered.length) / folds));
    const [first, last] = [own[0], own[own.length - 1]];
    const inside = (time: number) => time >= first && time <= last;
    if (!points.time.some(inside)) continue;
    const apart = Math.max(1, span);
    const fitted = fitLevel(points, (time) => time <= first - apart || time >= last + apart);
    if ("refused" in fitted) return fitted;
    const all = applyFit(points, fitted);
    for (let i = 0; i < mean.length; i++) if (inside(points.time[i])) [mean[i], std[i]] = [all.mean[i], all.std[i]];
  }
  return { mean, std, folds };
}
