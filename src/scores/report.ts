/**
 * `scores.json`: field -> level -> lead -> region -> score, each score with its interval, model first, baselines beside
 * it, kinds of hidden tokens apart.
 */
import { type Cell, HEAD, type ScoreAccumulator, SUM, SUMS_PER_PREDICTOR } from "./accumulate.js";
import { type BootstrapOptions, blockDraws, defaultBlockLength, MIN_BLOCKS, quantile } from "./bootstrap.js";
import type { Scored } from "./deterministic.js";
import { quantityOffsets } from "./quantity.js";
import { REGIONS } from "./regions.js";
import { rootMeanSquare, type Selection, selectTimes, squaresOf } from "./summary.js";
import { SCORED_KINDS } from "./tokenKinds.js";

/** One score of the model. */
export interface ScoreEntry {
  /** null if it is refused */
  value: number | null;
  /** why there is no value */
  refused?: string;
  /** 95 % interval of the moving-block bootstrap over initial times; null if refused */
  low?: number | null;
  high?: number | null;
  /** unit of the value; empty for ratios */
  unit: string;
  /** the same score of each baseline */
  baselines?: Record<string, number>;
  /** model minus the best baseline, on the same resampled times */
  minusBest?: { baseline: string; value: number; low: number | null; high: number | null; significant: boolean };
}

/** All scores of one field, level, lead time and region. */
export interface ScoreLeaf {
  points: number;
  /** initial times, and how many of them make a block of the bootstrap */
  times: number;
  blockLength: number;
  /** independent blocks */
  blocks: number;
  /** set below 10 blocks: the intervals are then no evidence */
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
  bootstrap?: BootstrapOptions;
  /** also tell errors in standard deviations (default true); false where the values are physical already */
  normalized?: boolean;
}

interface Statistic {
  name: string;
  unit: "field" | "none";
  of: (sums: Float64Array) => number;
  refused?: string;
  baselines?: Record<string, number>;
}

const distinct = <T>(values: T[]): T[] => [...new Set(values)];

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
  const times = selectTimes(cells, selection);
  if (times.length === 0) return null;
  const total = new Float64Array(times[0].length);
  for (const sums of times) for (let k = 0; k < total.length; k++) total[k] += sums[k];
  const statistics = statisticsOf(accumulator, total, options.normalized ?? true);
  const series = squaresOf(times, 0).map(rootMeanSquare);
  const blockLength = Math.min(times.length, options.bootstrap?.blockLength ?? defaultBlockLength(series));
  const blocks = Math.floor(times.length / blockLength);
  const best = bestBaseline(statistics[0]);
  const difference = (sums: Float64Array) =>
    rmseOf(sums, 0) - rmseOf(sums, accumulator.options.predictors.indexOf(best!));
  const draws = blockDraws(times, [...statistics.map(({ of }) => of), ...(best === null ? [] : [difference])], {
    ...options.bootstrap,
    blockLength,
  });
  const leaf: ScoreLeaf = { points: total[HEAD.points], times: times.length, blockLength, blocks };
  if (blocks < MIN_BLOCKS) leaf.note = "too few to tell";
  const unit = options.units?.[selection.field] ?? "";
  for (const [s, { name, of, refused, baselines, unit: kind }] of statistics.entries()) {
    const value = refused === undefined ? of(total) : Number.NaN;
    const entry: ScoreEntry = Number.isFinite(value)
      ? { value, ...interval(draws[s]), unit: kind === "field" ? unit : "" }
      : { value: null, refused: refused ?? "not finite", unit: kind === "field" ? unit : "" };
    if (baselines && Object.keys(baselines).length > 0) entry.baselines = baselines;
    if (name === "rmse" && best !== null) {
      const { low, high } = interval(draws[statistics.length]);
      const apart = low !== null && high !== null && (low > 0 || high < 0);
      const significant = apart && blocks >= MIN_BLOCKS;
      entry.minusBest = { baseline: best, value: difference(total), low, high, significant };
    }
    leaf[name] = entry;
  }
  addCounts(leaf, accumulator, total);
  if (selection.kind === "all") addKinds(leaf, accumulator, cells, selection, options);
  return leaf;
}

/** The scores of an accumulator's quantities by name, without intervals; empty where no point counts. */
export function quantityScores(accumulator: ScoreAccumulator, selection: Selection): Record<string, Scored> {
  const { predictors, quantities = [] } = accumulator.options;
  const times = selectTimes(accumulator.cells(), selection);
  if (times.length === 0) return {};
  const total = new Float64Array(times[0].length);
  for (const sums of times) for (let k = 0; k < total.length; k++) total[k] += sums[k];
  const { offsets } = quantityOffsets(quantities, HEAD.length + predictors.length * SUMS_PER_PREDICTOR);
  return Object.fromEntries(
    quantities.flatMap(({ scores, width }, q) =>
      Object.entries(scores).map(([name, score]) => [
        name,
        score(total.subarray(offsets[q], offsets[q] + width), total[HEAD.weight]),
      ]),
    ),
  );
}

const rmseOf = (sums: Float64Array, p: number) =>
  Math.sqrt(sums[HEAD.length + p * SUMS_PER_PREDICTOR + SUM.squares] / sums[HEAD.weight]);

function statisticsOf(
  { options: { predictors, quantities = [] } }: ScoreAccumulator,
  total: Float64Array,
  normalized: boolean,
): Statistic[] {
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
  const { offsets } = quantityOffsets(quantities, HEAD.length + predictors.length * SUMS_PER_PREDICTOR);
  for (const [q, { scores, width, unitless = [] }] of quantities.entries()) {
    const part = (sums: Float64Array) => sums.subarray(offsets[q], offsets[q] + width);
    for (const [name, score] of Object.entries(scores)) {
      const found = score(part(total), total[HEAD.weight]);
      statistics.push({
        name,
        unit: unitless.includes(name) ? "none" : "field",
        of(sums) {
          const value = score(part(sums), sums[HEAD.weight]);
          return "value" in value ? value.value : Number.NaN;
        },
        ...("refused" in found ? { refused: found.refused } : {}),
      });
    }
  }
  return statistics;
}

function bestBaseline({ baselines = {} }: Statistic): string | null {
  const names = Object.keys(baselines);
  return names.length === 0 ? null : names.reduce((a, b) => (baselines[b] < baselines[a] ? b : a));
}

function interval(draws: Float64Array): { low: number | null; high: number | null } {
  const finite = draws.filter(Number.isFinite).sort();
  if (finite.length === 0) return { low: null, high: null };
  return { low: quantile(finite, 0.025), high: quantile(finite, 0.975) };
}

function addCounts(
  leaf: ScoreLeaf,
  { options: { predictors, quantities = [] } }: ScoreAccumulator,
  total: Float64Array,
) {
  const { offsets } = quantityOffsets(quantities, HEAD.length + predictors.length * SUMS_PER_PREDICTOR);
  for (const [q, { counts = {}, width }] of quantities.entries()) {
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
