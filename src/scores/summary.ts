/** Scores out of the sums of an accumulator: rows for tables and a nested object for `scores.json`. */
import { type Cell, HEAD, type ScoreAccumulator, SUM, SUMS_PER_PREDICTOR } from "./accumulate.js";
import { type Interval, type IntervalOptions, scoreInterval, type TimeSums } from "./intervals/intervals.js";
import type { ScoredKind } from "./tokenKinds.js";

/** What a row is about; `"all"` takes every value of that axis together. */
export interface Selection {
  field: string;
  level: number | "all";
  lead: number | "all";
  region: string;
  kind: ScoredKind | "all";
}

/** Scores of one predictor, in physical units; `...Norm` in standard deviations. */
export interface PredictorScores {
  rmse: number;
  mae: number;
  /** mean of prediction minus target */
  bias: number;
  rmseNorm: number;
  maeNorm: number;
  biasNorm: number;
}

export interface ScoreRow extends Selection {
  /** points that count */
  points: number;
  /** initial times */
  times: number;
  scores: Record<string, PredictorScores>;
  /** of each predictor's RMSE in physical units; only when asked for */
  intervals?: Record<string, Interval>;
}

/** Sums of each initial time, in time order, over the cells that a selection takes together. */
export function selectTimes(cells: readonly Cell[], selection: Selection): TimeSums & { sums: Float64Array[] } {
  const times = new Map<number, Float64Array>();
  for (const cell of cells) {
    if (cell.field !== selection.field || cell.region !== selection.region) continue;
    if (selection.level !== "all" && cell.level !== selection.level) continue;
    if (selection.lead !== "all" && cell.lead !== selection.lead) continue;
    if (selection.kind !== "all" && cell.kind !== selection.kind) continue;
    for (const [time, sums] of cell.times) {
      const total = times.get(time) ?? new Float64Array(sums.length);
      for (let k = 0; k < sums.length; k++) total[k] += sums[k];
      times.set(time, total);
    }
  }
  const ordered = [...times].sort(([a], [b]) => a - b);
  return { times: ordered.map(([time]) => time), sums: ordered.map(([, sums]) => sums) };
}

/** All times together. */
export function totalOf({ sums }: { sums: readonly Float64Array[] }): Float64Array {
  const total = new Float64Array(sums[0].length);
  for (const row of sums) for (let k = 0; k < total.length; k++) total[k] += row[k];
  return total;
}

/** Sums of predictor p by themselves: [weight, squares of the physical error]. */
export function squaresOf({ times, sums }: TimeSums, p: number): TimeSums {
  const at = HEAD.length + p * SUMS_PER_PREDICTOR;
  return { times, sums: sums.map((row) => Float64Array.of(row[HEAD.weight], row[at + SUM.squares])) };
}

/** Root mean square of {@link squaresOf} sums. */
export function rootMeanSquare(sums: ArrayLike<number>): number {
  return Math.sqrt(sums[1] / sums[0]);
}

function predictorScores(total: Float64Array, p: number): PredictorScores {
  const at = HEAD.length + p * SUMS_PER_PREDICTOR;
  const mean = (k: number) => total[at + k] / total[HEAD.weight];
  return {
    rmse: Math.sqrt(mean(SUM.squares)),
    mae: mean(SUM.absolute),
    bias: mean(SUM.errors),
    rmseNorm: Math.sqrt(mean(SUM.squaresNorm)),
    maeNorm: mean(SUM.absoluteNorm),
    biasNorm: mean(SUM.errorsNorm),
  };
}

/**
 * One row of scores; null when no point of the selection counts.
 * @param interval give it to have intervals of the RMSE
 */
export function scoreRow(
  accumulator: ScoreAccumulator,
  selection: Selection,
  interval?: IntervalOptions,
): ScoreRow | null {
  const series = selectTimes(accumulator.cells(), selection);
  if (series.times.length === 0) return null;
  const total = totalOf(series);
  const { predictors } = accumulator.options;
  const row: ScoreRow = {
    ...selection,
    points: total[HEAD.points],
    times: series.times.length,
    scores: Object.fromEntries(predictors.map((name, p) => [name, predictorScores(total, p)])),
  };
  if (interval) {
    const options = { span: accumulator.span(), ...interval, positive: true };
    row.intervals = Object.fromEntries(
      predictors.map((name, p) => [name, scoreInterval(squaresOf(series, p), rootMeanSquare, options)]),
    );
  }
  return row;
}

/** Each value once. */
export const distinct = <T>(values: T[]): T[] => [...new Set(values)];

/**
 * Every row there is: field x level x lead (each and all) x region x kind (each and all). An axis with one value only
 * has no row "all" beside it, except level and lead, whose "all" rows always stand.
 */
export function scoreRows(accumulator: ScoreAccumulator, interval?: IntervalOptions): ScoreRow[] {
  const cells = accumulator.cells();
  const rows: ScoreRow[] = [];
  for (const field of distinct(cells.map((c) => c.field))) {
    const own = cells.filter((c) => c.field === field);
    const levels = distinct(own.map((c) => c.level)).sort((a, b) => a - b);
    const leads = distinct(own.map((c) => c.lead)).sort((a, b) => a - b);
    const kinds = distinct(own.map((c) => c.kind));
    for (const region of distinct(own.map((c) => c.region))) {
      for (const level of ["all", ...levels] as const) {
        for (const lead of ["all", ...leads] as const) {
          for (const kind of kinds.length > 1 ? (["all", ...kinds] as const) : kinds) {
            const row = scoreRow(accumulator, { field, level, lead, region, kind }, interval);
            if (row) rows.push(row);
          }
        }
      }
    }
  }
  return rows;
}

/** field -> level -> lead -> region -> kind -> {points, times, scores, intervals}: the form of `scores.json` */
export type ScoreTree = { [key: string]: ScoreTree | Omit<ScoreRow, keyof Selection> };

export function scoreTree(rows: readonly ScoreRow[]): ScoreTree {
  const tree: ScoreTree = {};
  for (const { field, level, lead, region, kind, ...leaf } of rows) {
    let node = tree;
    for (const key of [field, String(level), String(lead), region]) {
      node[key] ??= {};
      node = node[key] as ScoreTree;
    }
    node[kind] = leaf;
  }
  return tree;
}
