/**
 * `scores.json`: field -> level -> lead -> region -> score, each score with its interval, model first, baselines beside
 * it, kinds of hidden tokens apart.
 */
import { type Cell, HEAD, rowLayout, type ScoreAccumulator, SUM, SUMS_PER_PREDICTOR } from "./accumulate.js";
import type { Scored } from "./deterministic.js";
import { type MinusBest, minusBest, minusRidge } from "./intervals/compare.js";
import { type Interval, type IntervalOptions, scoreInterval } from "./intervals/intervals.js";
import { REGIONS } from "./regions.js";
import { distinct, type Selection, selectTimes, totalOf } from "./summary.js";
import { SCORED_KINDS } from "./tokenKinds.js";

/** One score of the model. */
export interface ScoreEntry {
  /** null if it is refused */
  value: number | null;
  /** why there is no value */
  refused?: string;
  /** 95 % interval, `scoreInterval`; null if refused or if there is one block only */
  low?: number | null;
  high?: number | null;
  /** independent blocks of this score's own series; below 8 the interval is no evidence */
  blocks?: number;
  /** unit of the value; empty for ratios */
  unit: string;
  /** the same score of each baseline */
  baselines?: Record<string, number>;
  /** model minus the best baseline at the same times: the test of the verdict */
  minusBest?: Difference;
  /** the same test against ridge regression, which is no simple baseline */
  minusRidge?: Difference;
}

export interface Difference {
  baseline: string;
  value: number;
  low: number | null;
  high: number | null;
  significant: boolean;
  blockLength: number;
  blocks: number;
  note?: "too few to tell";
}

/** All scores of one field, level, lead time and region. */
export interface ScoreLeaf {
  points: number;
  /** initial times, and how many of them make a block, by the RMSE */
  times: number;
  blockLength: number;
  /** independent blocks of the RMSE */
  blocks: number;
  /** set below 8 blocks: the intervals are then no evidence */
  note?: "too few to tell";
  [score: string]: ScoreEntry | number | string | Record<string, unknown> | undefined;
  /** by kind of hidden token, where there is more than one */
  kinds?: Record<string, ScoreLeaf>;
  /** shares of ranks 0 to E of the target among the members */
  rank_histogram?: { value: number[] };
}

export type ScoreReport = Record<string, Record<string, Record<string, Record<string, ScoreLeaf>>>>;

export interface ReportOptions {
  /** field -> unit of its values */
  units?: Readonly<Record<string, string>>;
  interval?: IntervalOptions;
  /** also tell errors in standard deviations (default true); false where the values are physical already */
  normalized?: boolean;
}

interface Statistic {
  name: string;
  unit: "field" | "none";
  of: (sums: Float64Array) => number;
  positive?: boolean;
  refused?: string;
  baselines?: Record<string, number>;
}

/** Every score there is, as the object of `scores.json`; levels and leads come each and as `all`. */
export function scoreReport(accumulator: ScoreAccumulator, options: ReportOptions = {}): ScoreReport {
  const cells = accumulator.cells();
  const report: ScoreReport = {};
  for (const field of distinct(cells.map((cell) => cell.field))) {
    const own = cells.filter((cell) => cell.field === field);
    const levels = ["all", ...distinct(own.map((cell) => cell.level)).sort((a, b) => a - b)] as const;
    const leads = ["all", ...distinct(own.map((cell) => cell.lead)).sort((a, b) => a - b)] as const;
    report[field] = {};
    for (const level of levels) {
      report[field][level] = {};
      for (const lead of leads) {
        const regions: Record<string, ScoreLeaf> = {};
        for (const { name: region } of accumulator.options.regions ?? [REGIONS.global]) {
          const leaf = scoreLeaf(accumulator, own, { field, level, lead, region, kind: "all" }, options);
          if (leaf) regions[region] = leaf;
        }
        if (Object.keys(regions).length > 0) report[field][level][lead] = regions;
      }
    }
  }
  return report;
}

function scoreLeaf(
  accumulator: ScoreAccumulator,
  cells: readonly Cell[],
  selection: Selection,
  options: ReportOptions,
): ScoreLeaf | null {
  const series = selectTimes(cells, selection);
  if (series.times.length === 0) return null;
  const total = totalOf(series);
  const interval = { span: accumulator.span(), ...options.interval };
  const [rmse, ...others] = statisticsOf(accumulator, total, options.normalized ?? true);
  const { blockLength, blocks, tooFew } = scoreInterval(series, rmse.of, interval);
  const leaf: ScoreLeaf = { points: total[HEAD.points], times: series.times.length, blockLength, blocks };
  if (tooFew) leaf.note = "too few to tell";
  const unit = options.units?.[selection.field] ?? "";
  for (const { name, of, positive, refused, baselines, unit: kind } of [rmse, ...others]) {
    const value = refused === undefined ? of(total) : Number.NaN;
    const entry: ScoreEntry = Number.isFinite(value)
      ? { value, ...ends(scoreInterval(series, of, { ...interval, positive })), unit: kind === "field" ? unit : "" }
      : { value: null, refused: refused ?? "not finite", unit: kind === "field" ? unit : "" };
    if (baselines && Object.keys(baselines).length > 0) entry.baselines = baselines;
    leaf[name] = entry;
  }
  const entry = leaf[rmse.name] as ScoreEntry;
  const best = minusBest(accumulator, series, options.interval);
  if (best) entry.minusBest = difference(best);
  const ridge = minusRidge(accumulator, series, options.interval);
  if (ridge) entry.minusRidge = difference(ridge);
  addCounts(leaf, accumulator, total);
  if (selection.kind === "all") addKinds(leaf, accumulator, cells, selection, options);
  return leaf;
}

/** The scores of an accumulator's quantities by name, without intervals; empty where no point counts. */
export function quantityScores(accumulator: ScoreAccumulator, selection: Selection): Record<string, Scored> {
  const { quantities = [] } = accumulator.options;
  const series = selectTimes(accumulator.cells(), selection);
  if (series.times.length === 0) return {};
  const total = totalOf(series);
  const { offsets } = rowLayout(accumulator.options);
  return Object.fromEntries(
    quantities.flatMap(({ scores, width }, q) =>
      Object.entries(scores).map(([name, score]) => [
        name,
        score(total.subarray(offsets[q], offsets[q] + width), total[HEAD.weight]),
      ]),
    ),
  );
}

function statisticsOf({ options }: ScoreAccumulator, total: Float64Array, normalized: boolean): Statistic[] {
  const { predictors, quantities = [] } = options;
  const at = (p: number, k: number) => HEAD.length + p * SUMS_PER_PREDICTOR + k;
  const perWeight = (k: number) => (p: number) => (sums: Float64Array) => sums[at(p, k)] / sums[HEAD.weight];
  const root = (k: number) => (p: number) => (sums: Float64Array) => Math.sqrt(sums[at(p, k)] / sums[HEAD.weight]);
  const basic = (
    name: string,
    unit: Statistic["unit"],
    of: (p: number) => (sums: Float64Array) => number,
  ): Statistic => ({
    name,
    unit,
    of: of(0),
    positive: !name.startsWith("bias"),
    baselines: Object.fromEntries(predictors.slice(1).map((predictor, i) => [predictor, of(i + 1)(total)])),
  });
  const inDeviations = [
    basic("rmse_normalized", "none", root(SUM.squaresNorm)),
    basic("mae_normalized", "none", perWeight(SUM.absoluteNorm)),
    basic("bias_normalized", "none", perWeight(SUM.errorsNorm)),
  ];
  const statistics = [
    basic("rmse", "field", root(SUM.squares)),
    basic("mae", "field", perWeight(SUM.absolute)),
    basic("bias", "field", perWeight(SUM.errors)),
    ...(normalized ? inDeviations : []),
  ];
  const { offsets } = rowLayout(options);
  const beside = (name: string): Record<string, number> =>
    Object.fromEntries(
      quantities
        .flatMap(({ beside: own, width }, q) =>
          Object.entries(own?.[name] ?? {}).map(([baseline, of]) => [
            baseline,
            of(total.subarray(offsets[q], offsets[q] + width), total[HEAD.weight]),
          ]),
        )
        .filter(([, value]) => Number.isFinite(value)),
    );
  for (const [q, { scores, width, unitless = [], positive = [] }] of quantities.entries()) {
    const part = (sums: Float64Array) => sums.subarray(offsets[q], offsets[q] + width);
    for (const [name, score] of Object.entries(scores)) {
      const found = score(part(total), total[HEAD.weight]);
      statistics.push({
        name,
        unit: unitless.includes(name) ? "none" : "field",
        positive: positive.includes(name),
        of(sums) {
          const value = score(part(sums), sums[HEAD.weight]);
          return "value" in value ? value.value : Number.NaN;
        },
        baselines: beside(name),
        ...("refused" in found ? { refused: found.refused } : {}),
      });
    }
  }
  return statistics;
}

function difference({ baseline, paired }: MinusBest): Difference {
  const { value, significant, blockLength, blocks, tooFew } = paired;
  const note = tooFew ? ({ note: "too few to tell" } as const) : {};
  const { low, high } = ends(paired);
  return { baseline, value, low, high, significant, blockLength, blocks, ...note };
}

/** An interval as JSON can hold it. */
function ends({ low, high, blocks }: Interval): { low: number | null; high: number | null; blocks: number } {
  const known = Number.isFinite(low) && Number.isFinite(high);
  return { low: known ? low : null, high: known ? high : null, blocks };
}

function addCounts(leaf: ScoreLeaf, { options }: ScoreAccumulator, total: Float64Array) {
  const { offsets } = rowLayout(options);
  for (const [q, { counts = {}, width }] of (options.quantities ?? []).entries()) {
    for (const [name, count] of Object.entries(counts)) {
      const values = count(total.subarray(offsets[q], offsets[q] + width));
      const sum = values.reduce((a, b) => a + b, 0);
      leaf[name] = { value: values.map((value) => value / sum) };
    }
  }
}

function addKinds(
  leaf: ScoreLeaf,
  accumulator: ScoreAccumulator,
  cells: readonly Cell[],
  selection: Selection,
  options: ReportOptions,
): void {
  const present = SCORED_KINDS.filter((kind) => cells.some((cell) => cell.kind === kind));
  if (present.length < 2) return;
  leaf.kinds = {};
  for (const kind of present) {
    const own = scoreLeaf(accumulator, cells, { ...selection, kind }, options);
    if (own) leaf.kinds[kind] = own;
  }
}
