/** How well calibrated distributions do, beside the raw ensemble on the same points. */
import { normalCdf } from "../../math/index.js";
import { crpsGaussian } from "../ensemble.js";
import { type IntervalOptions, pairedTest, type TimeSums } from "../intervals/intervals.js";
import { SPREAD_BINS, spreadBin, THRESHOLDS } from "../probabilityQuantity.js";
import type { Calibrated } from "./crossFit.js";
import {
  binnedReliability,
  type Consistency,
  flatness,
  type ReliabilityBin,
  type SpreadErrorBin,
  spreadError,
  totalOf,
} from "./diagrams.js";
import type { SampledPoints } from "./sample.js";

/** Bins of probabilities and of the probability integral transform. */
const BINS = 10;

/** A score of the raw ensemble beside that of the calibrated distribution, and their difference at the same times. */
export interface BeforeAfter {
  raw: number;
  calibrated: number;
  /** calibrated minus raw, with its 95 % interval (null: one block only) */
  difference: number;
  low: number | null;
  high: number | null;
  significant: boolean;
  blocks: number;
  unit: string;
}

export interface CalibratedScores {
  /** points judged */
  points: number;
  /** of the members, and of the normal distribution */
  crps: BeforeAfter;
  rmse: BeforeAfter;
  /** root mean square spread over RMSE of the mean; 1 is calibrated */
  spread_skill_ratio: BeforeAfter;
  /** `brier_minus_1sd`, `brier_mean`, `brier_plus_1sd` */
  [brier: `brier_${string}`]: BeforeAfter;
  /** shares of the target's probability integral transform in ten bins */
  pit: Consistency[];
  reliability: Record<string, ReliabilityBin[]>;
  spread_error: SpreadErrorBin[];
}

/** Where sums stand in a row, by time. */
const AT = { weight: 0, crps: 1, squares: 3, variance: 5, brier: 7 } as const;
const SCORES = AT.brier + 2 * THRESHOLDS.length;
const PIT = SCORES;
const RELIABILITY = PIT + BINS;
const SPREAD = RELIABILITY + THRESHOLDS.length * 3 * BINS;
const WIDTH = SPREAD + 3 * SPREAD_BINS;

/**
 * @param levels points of one or more levels of a field, and their calibrated distributions; points without one are left out
 * @param E members
 */
export function calibratedScores(
  levels: readonly (readonly [SampledPoints, Calibrated])[],
  E: number,
  unit: string,
  options: IntervalOptions,
): CalibratedScores | { refused: string } {
  const rows = new Map<number, Float64Array>();
  let points = 0;
  for (const [sampled, calibrated] of levels) {
    for (let i = 0; i < sampled.time.length; i++) {
      if (!Number.isFinite(calibrated.mean[i])) continue;
      points++;
      const row = rows.get(sampled.time[i]) ?? new Float64Array(WIDTH);
      rows.set(sampled.time[i], row);
      addPoint(row, sampled, calibrated, i, E);
    }
  }
  if (points === 0) return { refused: "no level and lead time has parameters" };
  const ordered = [...rows].sort(([a], [b]) => a - b);
  const series: TimeSums = { times: ordered.map(([time]) => time), sums: ordered.map(([, row]) => row) };
  const part = (from: number, length: number): TimeSums => ({
    times: series.times,
    sums: series.sums.map((row) => (row as Float64Array).subarray(from, from + length)),
  });
  const both = (
    statistic: (sums: Float64Array) => number,
    columns: readonly (readonly [number, number])[],
    of: string,
  ) => beforeAfter(series, statistic, columns, of, options);
  const mean = ([w, sum]: Float64Array) => sum / w;
  const briers = THRESHOLDS.map(({ name }, k) => [
    `brier_${name}`,
    both(
      mean,
      [
        [AT.weight, AT.weight],
        [AT.brier + 2 * k, AT.brier + 2 * k + 1],
      ],
      "",
    ),
  ]);
  return {
    points,
    crps: both(
      mean,
      [
        [AT.weight, AT.weight],
        [AT.crps, AT.crps + 1],
      ],
      unit,
    ),
    rmse: both(
      ([w, squares]) => Math.sqrt(squares / w),
      [
        [AT.weight, AT.weight],
        [AT.squares, AT.squares + 1],
      ],
      unit,
    ),
    spread_skill_ratio: both(
      ([variance, squares]) => Math.sqrt(variance / squares),
      [
        [AT.variance, AT.variance + 1],
        [AT.squares, AT.squares + 1],
      ],
      "",
    ),
    ...(Object.fromEntries(briers) as Record<`brier_${string}`, BeforeAfter>),
    pit: flatness(part(PIT, BINS), options),
    reliability: Object.fromEntries(
      THRESHOLDS.map(({ name }, k) => [name, binnedReliability(part(RELIABILITY + 3 * BINS * k, 3 * BINS), options)]),
    ),
    spread_error: spreadError(part(SPREAD, 3 * SPREAD_BINS), 1, options),
  };
}

function addPoint(row: Float64Array, sampled: SampledPoints, calibrated: Calibrated, i: number, E: number): void {
  const [weight, std, target] = [sampled.weight[i], sampled.std[i], sampled.target[i]];
  const [mean, width] = [calibrated.mean[i], calibrated.std[i]];
  const square = (x: number) => weight * std * std * x * x;
  const below = (x: number) => (width > 0 ? normalCdf((x - mean) / width) : x < mean ? 0 : 1);
  row[AT.weight] += weight;
  row[AT.crps] += weight * std * sampled.crps[i];
  row[AT.crps + 1] += weight * std * crpsGaussian(mean, width, target);
  row[AT.squares] += square(sampled.mean[i] - target);
  row[AT.squares + 1] += square(mean - target);
  row[AT.variance] += ((E + 1) / E) * weight * std * std * sampled.variance[i];
  row[AT.variance + 1] += square(width);
  row[PIT + Math.min(BINS - 1, Math.floor(BINS * below(target)))] += weight;
  for (let k = 0; k < THRESHOLDS.length; k++) {
    const threshold = THRESHOLDS[k].value;
    const event = target >= threshold ? 1 : 0;
    const raw = sampled.above[k][i] / E;
    const probability = 1 - below(threshold);
    row[AT.brier + 2 * k] += weight * (raw - event) * (raw - event);
    row[AT.brier + 2 * k + 1] += weight * (probability - event) * (probability - event);
    const at = RELIABILITY + 3 * (BINS * k + Math.min(BINS - 1, Math.floor(BINS * probability)));
    row[at] += weight;
    row[at + 1] += weight * probability;
    row[at + 2] += weight * event;
  }
  const bin = SPREAD + 3 * spreadBin(width * width);
  row[bin] += weight;
  row[bin + 1] += square(width);
  row[bin + 2] += square(mean - target);
}

/** @param columns of each number that the statistic reads, where it stands for the raw ensemble and for the calibrated one */
function beforeAfter(
  { times, sums }: TimeSums,
  statistic: (sums: Float64Array) => number,
  columns: readonly (readonly [number, number])[],
  unit: string,
  options: IntervalOptions,
): BeforeAfter {
  const of = (which: 0 | 1): TimeSums => ({
    times,
    sums: sums.map((row) => Float64Array.from(columns, (pair) => row[pair[which]])),
  });
  const [before, after] = [of(0), of(1)];
  const { value, low, high, significant, blocks } = pairedTest(after, before, statistic, options);
  const known = Number.isFinite(low) && Number.isFinite(high);
  return {
    raw: statistic(totalOf(before)),
    calibrated: statistic(totalOf(after)),
    difference: value,
    low: known ? low : null,
    high: known ? high : null,
    significant,
    blocks,
    unit,
  };
}
