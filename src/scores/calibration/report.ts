/**
 * Calibration of an ensemble, field by field and level by level, all lead times together in the first region: diagrams of
 * the raw members, and post-hoc calibration with its own scores beside.
 */
import { rowLayout, type ScoreAccumulator } from "../accumulate.js";
import { RANKS_AT } from "../ensembleQuantity.js";
import { PROBABILITY_SUMS, SPREAD_BINS, spreadSumsAt, THRESHOLDS } from "../probabilityQuantity.js";
import { distinct, selectTimes } from "../summary.js";
import { type CalibratedScores, calibratedScores } from "./calibrated.js";
import { applyFit, type Calibrated, crossFit, type FittedEmos, fitAll } from "./crossFit.js";
import {
  type Consistency,
  columnsOf,
  flatness,
  memberReliability,
  type ReliabilityBin,
  type SpreadErrorBin,
  spreadError,
} from "./diagrams.js";
import type { CalibrationSample, SampledPoints } from "./sample.js";

export interface CalibrationLeaf {
  members: number;
  region: string;
  /** initial times */
  times: number;
  /** shares of the ranks 0 to E of the target among the members */
  ranks: Consistency[];
  /** by threshold (`minus_1sd`, `mean`, `plus_1sd` of the normalisation): share of events by share of members */
  reliability: Record<string, ReliabilityBin[]>;
  spread_error: SpreadErrorBin[];
  /** scores after post-hoc calibration, told apart from the raw ensemble's, or why there are none */
  calibrated: CalibratedScores | { refused: string };
}

export interface FieldCalibration {
  /** by level, and `all` */
  levels: Record<string, CalibrationLeaf>;
  /** fitted to all points here, for another period; empty if they are too few, or if parameters were given */
  parameters: FittedEmos[];
}

export interface CalibrationReport {
  /** how what is told as calibrated was fitted, in words */
  fitted: string;
  /** hidden points offered, and kept for fitting: all, or drawn evenly */
  seen: number;
  kept: number;
  fields: Record<string, FieldCalibration>;
}

export interface CalibrationOptions {
  units?: Readonly<Record<string, string>>;
  /** members */
  E: number;
  /** parameters that were fitted to other times, and to which; default: cross-fitted by blocks of time */
  given?: { parameters: Readonly<Record<string, readonly FittedEmos[]>>; from: string };
}

/**
 * Needs `ensembleQuantity` and `probabilityQuantity` in the accumulator, and a sample of the same points; null for one
 * member, which has no spread and no ranks.
 */
export function calibrationReport(
  accumulator: ScoreAccumulator,
  sample: CalibrationSample,
  { units = {}, E, given }: CalibrationOptions,
): CalibrationReport | null {
  if (E < 2) return null;
  const points = sample.points();
  const times = accumulator.cells().flatMap((cell) => [...cell.times.keys()]);
  let folds = 0;
  const fields: Record<string, FieldCalibration> = {};
  for (const field of distinct(accumulator.cells().map((cell) => cell.field))) {
    const own = points.filter((level) => level.field === field).sort((a, b) => a.level - b.level);
    const calibrated = own.map((level): [SampledPoints, Calibrated | { refused: string }] => {
      if (given) return [level, applyFit(level, given.parameters[field] ?? [])];
      const crossed = crossFit(level, times, accumulator.span());
      if (!("refused" in crossed)) folds = crossed.folds;
      return [level, crossed];
    });
    const options = { unit: units[field] ?? "", E };
    const select = (level: number | "all") => calibrated.filter(([{ level: of }]) => level === "all" || of === level);
    const levels = Object.fromEntries(
      (own.length > 1 ? ["all" as const, ...own.map(({ level }) => level)] : ["all" as const]).map((level) => [
        String(level),
        leafOf(accumulator, field, level, select(level), options),
      ]),
    );
    const parameters = (given ? [] : own).flatMap((level) => {
      const fit = fitAll(level);
      return "refused" in fit ? [] : fit;
    });
    fields[field] = { levels, parameters };
  }
  const blocks = `cross-fitted: each of ${folds} spans of times with what was fitted to the others`;
  const fitted = given ? `fitted to ${given.from}` : folds > 0 ? blocks : "not fitted";
  return { fitted, ...sample.counts(), fields };
}

function leafOf(
  accumulator: ScoreAccumulator,
  field: string,
  level: number | "all",
  calibrated: readonly [SampledPoints, Calibrated | { refused: string }][],
  { unit, E }: { unit: string; E: number },
): CalibrationLeaf {
  const { quantities = [], regions } = accumulator.options;
  const region = regions?.[0]?.name ?? "global";
  const series = selectTimes(accumulator.cells(), { field, level, lead: "all", region, kind: "all" });
  const offsetOf = (name: string) =>
    rowLayout(accumulator.options).offsets[quantities.findIndex((quantity) => quantity.name === name)];
  const part = (from: number, length: number) =>
    columnsOf(
      series,
      Array.from({ length }, (_, k) => from + k),
    );
  const interval = { span: accumulator.span() };
  const ranks = offsetOf("ensemble") + RANKS_AT;
  const sums = offsetOf("probability");
  const pairs = 2 * (E + 1);
  const refused = calibrated.flatMap(([, fit]) => ("refused" in fit ? [fit.refused] : []))[0];
  const done = calibrated.filter((pair): pair is [SampledPoints, Calibrated] => !("refused" in pair[1]));
  return {
    members: E,
    region,
    times: series.times.length,
    ranks: series.times.length > 0 ? flatness(part(ranks, E + 1), interval) : [],
    reliability: Object.fromEntries(
      THRESHOLDS.map(({ name }, k) => [
        name,
        memberReliability(part(sums + PROBABILITY_SUMS.events + k * pairs, pairs), interval),
      ]),
    ),
    spread_error: spreadError(part(sums + spreadSumsAt(E), 3 * SPREAD_BINS), (E + 1) / E, interval),
    calibrated: refused ? { refused } : calibratedScores(done, E, unit, interval),
  };
}
