/**
 * Score card: forecasts side by side, fields by levels by lead times, each cell a paired test at the same times, with
 * the number of false findings among all cells kept in check.
 */
import { AtmorepError } from "../../errors.js";
import { REGRESSION } from "../intervals/compare.js";
import { pairedTest, type TimeSums } from "../intervals/intervals.js";
import type { TimedCell } from "./byTime.js";
import { benjaminiHochberg } from "./falseDiscovery.js";
import { assertSamePoints, assertSameTimes, type CardEntry, cellName, rowsOf } from "./pair.js";

export interface CardOptions {
  /** default `rmse`; `mae`, or what the model alone has: `crps`, `crps_fair`, `crps_gaussian`, `brier_mean`, `quantile_90`, ... */
  score?: string;
  /** default the first that all have */
  region?: string;
  /** share of false ones among the findings, 0 to 1; default 0.05 */
  falseDiscovery?: number;
}

/**
 * `better`, `worse`: the first forecast, after the correction for the number of tests. `too few`: fewer than eight
 * independent blocks of times; such cells are no tests.
 */
export type CardOutcome = "better" | "worse" | "not apart" | "too few";

export interface CardCell {
  field: string;
  level: number;
  /** time steps since the last visible one */
  lead: number;
  /** scores of the two, in the field's unit */
  first: number;
  second: number;
  /** of the best baseline: which one it is here */
  baseline?: string;
  /** first minus second, with its 95 % interval; null where there is one block only */
  difference: number;
  low: number | null;
  high: number | null;
  /** difference over the second's score, in percent */
  percent: number;
  /** of this test alone, and adjusted for all tests of the comparison (null: no test) */
  pValue: number | null;
  adjusted: number | null;
  /** initial times with points, times in a block, independent blocks */
  times: number;
  blockLength: number;
  blocks: number;
  outcome: CardOutcome;
}

export interface CardComparison {
  kind: "run" | "best baseline" | "baseline";
  /** names of the two forecasts; negative differences are in favour of the first */
  first: string;
  second: string;
  cells: CardCell[];
  /** cells that are tests, and how many of them alone are below 0.05 */
  tests: number;
  alone: number;
  /** how many of them would be, were there no difference anywhere */
  expectedByChance: number;
  better: number;
  worse: number;
  tooFew: number;
}

export interface ScoreCard {
  score: string;
  region: string;
  falseDiscovery: number;
  /** evaluations in the order given; the first is what the others are compared with */
  evaluations: { id: string; label: string }[];
  /** initial times, and the first and last of them */
  times: number;
  from: string;
  to: string;
  comparisons: CardComparison[];
  /** cells of some but not all evaluations, which are not compared */
  leftOut: TimedCell[];
}

/** In which column a score is summed, and whether it is the root of the mean. */
const columnOf = (forecast: string, score: string): string =>
  `${forecast}.${{ rmse: "squares", mae: "absolute" }[score] ?? score}`;

interface Member {
  entry: CardEntry;
  label: string;
}

/**
 * Compares evaluations, the first with each other one, and each with its own baselines.
 *
 * @throws {AtmorepError} `usage` if there is no evaluation, if they do not share times and points (naming what differs),
 *   or for a score or region that is not there
 * @example scoreCard([first, second], { score: "crps" }).comparisons[0].better;
 */
export function scoreCard(entries: readonly CardEntry[], options: CardOptions = {}): ScoreCard {
  const { score = "rmse", falseDiscovery = 0.05 } = options;
  const members = entries.map((entry): Member => ({ entry, label: entry.label ?? entry.id }));
  const [first, ...others] = members;
  if (!first) throw new AtmorepError("usage", "a score card needs an evaluation", { where: "ids", found: "none" });
  if (!(falseDiscovery > 0 && falseDiscovery < 1)) {
    throw new AtmorepError("usage", "not a share of false findings", {
      where: "falseDiscovery",
      found: falseDiscovery,
      expected: "between 0 and 1",
    });
  }
  for (const { entry } of others) assertSameTimes(first.entry, entry);
  const { shared, leftOut, region } = sharedCells(members, options.region);
  const span = Math.max(...entries.map((entry) => entry.span));
  const table = tableOf(members, shared, span);
  const scored = { score, falseDiscovery };
  const comparisons = others.map((other) =>
    compare({ kind: "run", first: other.label, second: first.label }, table, scored, () => [
      [other, other.entry.predictors[0]],
      [[first, first.entry.predictors[0]]],
    ]),
  );
  for (const member of members) {
    const [model, ...baselines] = member.entry.predictors;
    const own = baselines.filter((name) => member.entry.columns.includes(columnOf(name, score)));
    if (own.length === 0) continue;
    const pairs = own.map((name): [Member, string] => [member, name]);
    const names = { first: member.label, second: "best baseline" };
    // as in the verdict: a regression is no simple baseline, and is told beside the best of those
    const simple = pairs.filter(([, name]) => name !== REGRESSION);
    if (simple.length > 0) {
      comparisons.push(compare({ kind: "best baseline", ...names }, table, scored, () => [[member, model], simple]));
    }
    for (const pair of pairs) {
      const single = { kind: "baseline", first: member.label, second: pair[1] } as const;
      comparisons.push(compare(single, table, scored, () => [[member, model], [pair]]));
    }
  }
  if (comparisons.length === 0) {
    throw new AtmorepError("usage", "there is nothing to compare with", {
      where: "ids",
      found: `${first.label} alone, whose baselines have no ${score}`,
      fix: "Name another evaluation.",
    });
  }
  const { dates } = first.entry;
  return {
    score,
    region,
    falseDiscovery,
    evaluations: members.map(({ entry, label }) => ({ id: entry.id, label })),
    times: dates.length,
    from: dates[0],
    to: dates[dates.length - 1],
    comparisons,
    leftOut,
  };
}

interface SharedCells {
  shared: TimedCell[];
  leftOut: TimedCell[];
  region: string;
}

function sharedCells(members: readonly Member[], wanted: string | undefined): SharedCells {
  const names = members.map(({ entry }) => new Set(entry.cells.map(cellName)));
  const all = new Map(members.flatMap(({ entry }) => entry.cells.map((cell) => [cellName(cell), cell] as const)));
  const inAll = [...all].filter(([name]) => names.every((own) => own.has(name))).map(([, cell]) => cell);
  const regions = [...new Set(inAll.map((cell) => cell.region))];
  const region = wanted ?? regions[0];
  const shared = inAll.filter((cell) => cell.region === region);
  if (shared.length === 0) {
    const fields = members.map(
      ({ entry, label }) => `${label}: ${[...new Set(entry.cells.map(({ field }) => field))].join(", ")}`,
    );
    throw new AtmorepError(
      "usage",
      regions.length > 0
        ? "not all evaluations have this region"
        : "the evaluations have no field, level and lead time in common",
      {
        where: regions.length > 0 ? "region" : members.map(({ entry }) => entry.id).join(" and "),
        found: regions.length > 0 ? region : fields.join("; "),
        expected: regions.length > 0 ? regions.join(", ") : "fields, levels and lead times that all have",
      },
    );
  }
  const kept = new Set(shared.map(cellName));
  const leftOut = [...all.values()].filter((cell) => cell.region === region && !kept.has(cellName(cell)));
  const order = [...new Set(members[0].entry.cells.map(({ field }) => field))];
  shared.sort((a, b) => order.indexOf(a.field) - order.indexOf(b.field) || a.level - b.level || a.lead - b.lead);
  return { shared, leftOut, region };
}

interface TableCell {
  cell: TimedCell;
  /** indices of the first evaluation's initial times at which the cell has points */
  times: number[];
  rows: Map<Member, Float64Array[]>;
}

/** Rows of every shared cell at the times when it has points, which must be the same points in all. */
function tableOf(
  members: readonly Member[],
  cells: readonly TimedCell[],
  span: number,
): { cells: TableCell[]; span: number } {
  const [first, ...others] = members;
  const { dates, times, columns } = first.entry;
  const weight = columns.indexOf("weight");
  const each = cells.map((cell): TableCell => {
    const all = members.map((member) => [member, rowsOf(member.entry, cell, dates)] as const);
    const [[, own], ...rest] = all;
    for (const [k, [, rows]] of rest.entries())
      assertSamePoints(cell, dates, [first.entry, own], [others[k].entry, rows]);
    const kept = [...dates.keys()].filter((t) => own[t][weight] > 0);
    return {
      cell,
      times: kept.map((t) => times[t]),
      rows: new Map(all.map(([member, rows]) => [member, kept.map((t) => rows[t])])),
    };
  });
  return { cells: each, span };
}

type Forecast = [member: Member, name: string];

function compare(
  names: Pick<CardComparison, "kind" | "first" | "second">,
  table: { cells: TableCell[]; span: number },
  { score, falseDiscovery }: { score: string; falseDiscovery: number },
  choose: () => [first: Forecast, seconds: Forecast[]],
): CardComparison {
  const [first, seconds] = choose();
  const statistic = (sums: Float64Array) => (score === "rmse" ? Math.sqrt(sums[1] / sums[0]) : sums[1] / sums[0]);
  const cells = table.cells.map((cell): CardCell => {
    const series = (forecast: Forecast) => seriesOf(cell, forecast, score);
    const candidates = seconds.map((second) => ({
      second,
      series: series(second),
      score: statistic(total(series(second))),
    }));
    const best = candidates.reduce((a, b) => (b.score < a.score ? b : a));
    const model = series(first);
    const { value, low, high, pValue, blocks, blockLength, tooFew } = pairedTest(model, best.series, statistic, {
      span: table.span,
    });
    const known = Number.isFinite(low) && Number.isFinite(high);
    const { field, level, lead } = cell.cell;
    return {
      ...{ field, level, lead, first: statistic(total(model)), second: best.score },
      ...(names.kind === "best baseline" ? { baseline: best.second[1] } : {}),
      difference: value,
      low: known ? low : null,
      high: known ? high : null,
      percent: (100 * value) / best.score,
      pValue: tooFew ? null : pValue,
      adjusted: null,
      ...{ times: cell.times.length, blockLength, blocks },
      outcome: tooFew ? "too few" : "not apart",
    };
  });
  const tested = cells.filter((cell) => cell.pValue !== null);
  const adjusted = benjaminiHochberg(tested.map(({ pValue }) => pValue ?? 1));
  for (const [i, cell] of tested.entries()) {
    cell.adjusted = adjusted[i];
    if (adjusted[i] <= falseDiscovery && cell.difference !== 0) cell.outcome = cell.difference < 0 ? "better" : "worse";
  }
  const count = (outcome: CardOutcome) => cells.filter((cell) => cell.outcome === outcome).length;
  return {
    ...names,
    cells,
    tests: tested.length,
    alone: tested.filter(({ pValue }) => (pValue ?? 1) < 0.05).length,
    expectedByChance: 0.05 * tested.length,
    better: count("better"),
    worse: count("worse"),
    tooFew: count("too few"),
  };
}

function seriesOf({ times, rows }: TableCell, [member, name]: Forecast, score: string): TimeSums {
  const { columns, id } = member.entry;
  const [weight, at] = [columns.indexOf("weight"), columns.indexOf(columnOf(name, score))];
  if (at < 0) {
    const known = columns
      .filter((column) => column.startsWith(`${name}.`))
      .map((column) => column.slice(name.length + 1));
    throw new AtmorepError("usage", "no such score by time", {
      where: id,
      found: score,
      expected: ["rmse", "mae", ...known.filter((column) => column !== "squares" && column !== "absolute")].join(", "),
    });
  }
  return { times, sums: (rows.get(member) ?? []).map((row) => Float64Array.of(row[weight], row[at])) };
}

function total({ sums }: TimeSums): Float64Array {
  const out = new Float64Array(2);
  for (const row of sums) for (let k = 0; k < 2; k++) out[k] += row[k];
  return out;
}
