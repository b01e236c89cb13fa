/** Computing the normalisation arrays of an existing store, in it or beside it. */
import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { endTime } from "../../config/times.js";
import { AtmorepError } from "../../errors.js";
import { build } from "../building/build.js";
import { factsOf, requireOwnFiles } from "../building/sources.js";
import { settleFirst } from "../building/together.js";
import type { BuildOptions, Request } from "../building/types.js";
import { levelsOf } from "../info/info.js";
import { type LayoutStore, openLayout, openStore, type Store } from "../store.js";
import { assertSpan, formatTime, parseTime } from "../time.js";
import { mostOf, product } from "../zarr/array.js";
import { statisticsRequest } from "./beside.js";
import { type Group, type NormalizeLayout, type NormalizeSetup, unitsOf } from "./layout.js";

/** `month`: each month of the period has its own statistics; `calendar-month`: all its Januaries share theirs, and so on. */
export type NormalizeBy = "month" | "calendar-month";

export interface NormalizeSummary {
  location: string;
  /** the folder of what is done, if parts are still to come: `atmorep data finalise` ends the work */
  unfinished: string | null;
  by: NormalizeBy;
  /** first and last time used */
  period: [string, string];
  /** years that the steps used lie in */
  years: number[];
  steps: number;
  /** months, or calendar months, that got values */
  months: number;
  /** by calendar month: those (1 to 12) that no step lies in, whose normalisation is NaN in every year */
  missingMonths: number[];
  arrays: string[];
}

/** Sums that are held at a time: of more channels in one chunk the store is read in several passes. */
const SUMS_BYTES = 512 * 2 ** 20;
const SUM_BYTES = 20;
const BESIDE = ", or write it beside the source with --out";

/**
 * Computes `normalization/` of a store in a folder from its values and replaces what stood there. NaN and steps named as
 * `filled` do not count. The root attribute `normalization_period` tells the dates.
 *
 * By `calendar-month` the arrays have the same layout, and every year of the store has the same twelve rows, so that
 * times after the period have a normalisation and a climatology, for the original too. The attributes `by`, `period` and
 * `years` of the group `normalization` say so; by them a store that has grown since finds its calendar months.
 * Until it is whole, it stands in `normalization.unfinished` of the store.
 * @param dates first and last time to use, both inclusive, a bare date at the end being its last hour; null for all
 * @throws AtmorepError (usage) if the store is not a folder or no step lies in the dates; (input) for faults of the store;
 *   as `build`
 */
export async function normalizeStore(
  location: string,
  dates: [string, string] | null,
  by: NormalizeBy = "month",
  options: BuildOptions = {},
): Promise<NormalizeSummary> {
  requireOwnFiles("data normalize", location, BESIDE);
  const info = await stat(location).catch(() => null);
  if (!info?.isDirectory()) {
    throw new AtmorepError("usage", "normalisation can be written into a folder only", {
      where: location,
      fix: `${info ? "Unpack the zip file" : "Give the path of a store in a folder"}${BESIDE}`,
    });
  }
  await settleFirst(join(location, "normalization"), options);
  const store = await openLayout(location);
  let summary: Omit<NormalizeSummary, "unfinished">;
  let request: Request;
  try {
    requireOwnFiles("data normalize", store.location, BESIDE);
    assertSpan(store.calendar, store.times, `${location}: time`);
    const steps = stepsIn(store, dates);
    const layout = layoutOf(store, steps, by);
    const groups = groupsOf(store, steps, by, layout.months);
    request = requestOf(store, layout, groups, { dates, by });
    const years = [...new Set(steps.map((t) => store.calendar.year[t]))];
    const seen = new Set(steps.map((t) => store.calendar.monthOfYear[t]));
    const missingMonths = by === "month" ? [] : MONTHS_OF_YEAR.filter((month) => !seen.has(month));
    const arrays = layout.arrays.flatMap(({ name }) => {
      const suffix = name === "data" ? "" : "_sfc";
      return [`global_norm${suffix}`, `norm${suffix}`];
    });
    const counts = { steps: steps.length, months: groups.length };
    summary = { location, by, period: layout.period, years, ...counts, missingMonths, arrays };
  } finally {
    await store.close();
  }
  const { unfinished } = await build(request, options);
  return { ...summary, unfinished };
}

function layoutOf(store: LayoutStore, steps: readonly number[], by: NormalizeBy): NormalizeLayout {
  const { calendar, times, fields, levels, fieldsSfc, lats, lons, format } = store;
  const [first, last] = [steps[0], steps[steps.length - 1]].map((t) => formatTime(times[t]));
  const period: [string, string] = [first, last];
  const years = [...new Set(steps.map((t) => calendar.year[t]))];
  return {
    format,
    period,
    group: by === "month" ? null : { by, period, years },
    months: (Math.floor(calendar.month[times.length - 1] / 12) + 1) * 12,
    arrays: (["data", "data_sfc"] as const).flatMap((name) => {
      const array = store.arrays[name];
      if (!array) return [];
      const dims = name === "data" ? [fields.length, levels.length] : [fieldsSfc.length];
      // Chunks can reach beyond what there is.
      const chunks = array.chunkShape.map((n, i) => Math.min(n, array.shape[i]));
      return [{ name, dims, grid: [lats.length, lons.length] as [number, number], chunks }];
    }),
  };
}

function requestOf(
  store: LayoutStore,
  layout: NormalizeLayout,
  groups: Group[],
  asked: { dates: [string, string] | null; by: NormalizeBy },
): Request {
  const { location } = store;
  const points = store.lats.length * store.lons.length;
  const perPass = Math.max(1, Math.floor(SUMS_BYTES / (SUM_BYTES * points)));
  const arrays = [store.arrays.data, store.arrays.data_sfc].filter((array) => array !== null);
  const chunkBytes = Math.max(...arrays.map(({ chunkShape, itemBytes }) => product(chunkShape) * itemBytes));
  const units = unitsOf(layout, groups);
  const largest = mostOf(units, ({ block }) => block.size);
  const setup: NormalizeSetup = { location, layout, groups, perPass, chunkBytes };
  return {
    kind: "normalize",
    command: "data normalize",
    out: join(location, "normalization"),
    replace: true,
    setup,
    layout,
    place: resolve(location),
    asked,
    sources: async () => [await factsOf(location)],
    units: units.map(({ array, steps, block }) => ({
      name: `${array} ${formatTime(store.times[steps[0]]).slice(0, 7)}`,
      bytes: steps.length * block.channels.length * points * 4,
    })),
    // Sums, the chunk that is written, twice the one that is read.
    unitBytes: points * (SUM_BYTES * Math.min(perPass, largest) + 8 * largest + 8) + 2 * chunkBytes,
    smaller: "Give more memory, or cut the store into smaller chunks first: atmorep data rechunk",
    alone: null,
  };
}

/**
 * Computes the normalisation of any source by calendar month, global and of each grid point, and writes it to a folder or
 * zip file of its own, for the key `statistics`. Fields of all levels are read, a plane at a time.
 * @param dates as of `normalizeStore`
 * @throws AtmorepError (usage) if something stands at `out` or no step lies in the dates; (input) for faults of the source;
 *   as `build`
 */
export async function normalizeTo(
  location: string,
  out: string,
  dates: [string, string] | null,
  options: BuildOptions = {},
): Promise<Pick<NormalizeSummary, "location" | "unfinished" | "period" | "steps" | "missingMonths"> & { out: string }> {
  await settleFirst(out, options);
  if (existsSync(out)) {
    throw new AtmorepError("usage", "there is something at this path already", {
      where: `--out ${out}`,
      fix: "Choose another path, or remove it yourself",
    });
  }
  const store = await openStore(location);
  let request: Request;
  let ends: string[];
  let steps: number[];
  let missingMonths: number[];
  try {
    steps = stepsIn(store, dates);
    const of = levelsOf(store).map(([name, { level }]) => ({ name, level }));
    request = await statisticsRequest(store, out, { of, steps, local: true }, { dates });
    ends = [steps[0], steps[steps.length - 1]].map((t) => formatTime(store.times[t]));
    const seen = new Set(steps.map((t) => store.calendar.monthOfYear[t]));
    missingMonths = MONTHS_OF_YEAR.filter((month) => !seen.has(month));
  } finally {
    await store.close();
  }
  const { unfinished } = await build(request, options);
  return { location, out, unfinished, period: ends as [string, string], steps: steps.length, missingMonths };
}

const MONTHS_OF_YEAR = Array.from({ length: 12 }, (_, i) => i + 1);

function groupsOf({ calendar }: Store, steps: number[], by: NormalizeBy, months: number): Group[] {
  const groups = new Map<number, Group>();
  for (const t of steps) {
    const month = by === "month" ? calendar.month[t] : calendar.month[t] % 12;
    const group = groups.get(month) ?? { steps: [], months: by === "month" ? [month] : everyTwelfth(month, months) };
    group.steps.push(t);
    groups.set(month, group);
  }
  return [...groups.values()];
}

const everyTwelfth = (first: number, end: number): number[] =>
  Array.from({ length: Math.ceil((end - first) / 12) }, (_, i) => first + 12 * i);

function stepsIn(store: Store, dates: [string, string] | null): number[] {
  const [from, to] = (dates ?? []).map((text, i) => {
    const time = parseTime(i === 0 ? text : endTime(text));
    if (time !== null) return time;
    throw new AtmorepError("usage", "not an ISO time", {
      where: "--dates",
      found: text,
      expected: "such as 1996-01-05",
    });
  });
  const steps = [...store.times.keys()].filter((i) => !dates || (store.times[i] >= from && store.times[i] <= to));
  if (steps.length > 0) return steps;
  throw new AtmorepError("usage", "no step of the store lies in the dates", {
    where: "--dates",
    found: dates?.join(".."),
    expected: `a part of ${formatTime(store.times[0])}..${formatTime(store.times[store.times.length - 1])}`,
  });
}
