/** Computing the normalisation arrays of an existing store. */
import { existsSync } from "node:fs";
import { readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { endTime } from "../../config/times.js";
import { AtmorepError } from "../../errors.js";
import { writeDirectoryAtomic, writeFileAtomic } from "../../formats/atomic.js";
import { levelsOf } from "../info/info.js";
import { openLayout, openStore, type Store } from "../store.js";
import { assertSpan, formatTime, parseTime } from "../time.js";
import { readValues, wholeWindow } from "../values.js";
import { directorySink, writeGroup } from "../zarr/write.js";
import { writeStatistics } from "./beside.js";
import { MonthAccumulator, type MonthStatistics, openNormalization } from "./statistics.js";

/** `month`: each month of the period has its own statistics; `calendar-month`: all its Januaries share theirs, and so on. */
export type NormalizeBy = "month" | "calendar-month";

export interface NormalizeSummary {
  location: string;
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

/**
 * Computes `normalization/` of a store in a folder from its values and replaces what stood there. NaN and steps named as
 * `filled` do not count. The root attribute `normalization_period` tells the dates. One month's sums are held at a time.
 *
 * By `calendar-month` the arrays have the same layout, and every year of the store has the same twelve rows, so that
 * times after the period have a normalisation and a climatology, for the original too. The attributes `by`, `period` and
 * `years` of the group `normalization` say so; by them a store that has grown since finds its calendar months.
 * @param dates first and last time to use, both inclusive, a bare date at the end being its last hour; null for all
 * @throws AtmorepError (usage) if the store is not a folder or no step lies in the dates; (input) for faults of the store
 */
export async function normalizeStore(
  location: string,
  dates: [string, string] | null,
  by: NormalizeBy = "month",
): Promise<NormalizeSummary> {
  const info = await stat(location).catch(() => null);
  if (!info?.isDirectory()) {
    throw new AtmorepError("usage", "normalisation can be written into a folder only", {
      where: location,
      fix: `${info ? "Unpack the zip file" : "Give the path of a store in a folder"}, or write it beside the source with --out`,
    });
  }
  const store = await openLayout(location);
  try {
    assertSpan(store.calendar, store.times, `${location}: time`);
    const steps = stepsIn(store, dates);
    const months = (Math.floor(store.calendar.month[store.times.length - 1] / 12) + 1) * 12;
    const groups = groupsOf(store, steps, by, months);
    const period: [string, string] = [
      formatTime(store.times[steps[0]]),
      formatTime(store.times[steps[steps.length - 1]]),
    ];
    const years = [...new Set(steps.map((t) => store.calendar.year[t]))];
    const grid: [number, number] = [store.lats.length, store.lons.length];
    const arrays: string[] = [];
    await writeDirectoryAtomic(join(location, "normalization"), async (folder) => {
      const sink = directorySink(folder);
      // beside the arrays, so that what they are is never told by an older attribute
      await writeGroup(sink, "", by === "month" ? undefined : { by, period, years }, store.format);
      for (const suffix of ["", "_sfc"] as const) {
        if (!(suffix ? store.arrays.data_sfc : store.arrays.data)) continue;
        const channels = suffix ? [store.fieldsSfc.length] : [store.fields.length, store.levels.length];
        const writer = await openNormalization({
          sink,
          suffix,
          prefix: "",
          channels,
          grid,
          months,
          format: store.format,
        });
        for (const group of groups) {
          const statistics = await statisticsOf(store, suffix === "_sfc", group.steps);
          for (const month of group.months) await writer.put(month, statistics);
        }
        await writer.finish();
        arrays.push(`global_norm${suffix}`, `norm${suffix}`);
      }
    });
    await recordPeriod(location, store, period);
    const seen = new Set(steps.map((t) => store.calendar.monthOfYear[t]));
    const missingMonths = by === "month" ? [] : MONTHS_OF_YEAR.filter((month) => !seen.has(month));
    return { location, by, period, years, steps: steps.length, months: groups.length, missingMonths, arrays };
  } finally {
    await store.close();
  }
}

/**
 * Computes the normalisation of any source by calendar month, global and of each grid point, and writes it to a folder or
 * zip file of its own, for the key `statistics`. Fields of all levels are read, a plane at a time.
 * @param dates as of `normalizeStore`
 * @throws AtmorepError (usage) if something stands at `out` or no step lies in the dates; (input) for faults of the source
 */
export async function normalizeTo(
  location: string,
  out: string,
  dates: [string, string] | null,
): Promise<Pick<NormalizeSummary, "location" | "period" | "steps" | "missingMonths"> & { out: string }> {
  if (existsSync(out)) {
    throw new AtmorepError("usage", "there is something at this path already", {
      where: `--out ${out}`,
      fix: "Choose another path, or remove it yourself",
    });
  }
  const store = await openStore(location);
  try {
    const steps = stepsIn(store, dates);
    const of = levelsOf(store).map(([name, { level }]) => ({ name, level }));
    await writeStatistics(store, out, { of, steps, local: true });
    const ends = [steps[0], steps[steps.length - 1]].map((t) => formatTime(store.times[t]));
    const seen = new Set(steps.map((t) => store.calendar.monthOfYear[t]));
    const missingMonths = MONTHS_OF_YEAR.filter((month) => !seen.has(month));
    return { location, out, period: ends as [string, string], steps: steps.length, missingMonths };
  } finally {
    await store.close();
  }
}

const MONTHS_OF_YEAR = Array.from({ length: 12 }, (_, i) => i + 1);

/** Steps whose statistics are one, and the months (from January of the store's first year) that get them. */
interface Group {
  steps: number[];
  months: number[];
}

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

async function statisticsOf(store: Store, surface: boolean, steps: number[]): Promise<MonthStatistics> {
  const sources = levelsOf(store).filter(([, source]) => source.surface === surface);
  const accumulator = new MonthAccumulator(sources.length, store.lats.length * store.lons.length);
  for (const t of steps) {
    for (const [c, [, source]] of sources.entries()) {
      if (source.filled?.has(t)) continue;
      accumulator.add(c, (await readValues(store, source, wholeWindow(store, Int32Array.of(t)))).values);
    }
  }
  return accumulator.result();
}

/** Writes the attribute, and takes away the consolidated metadata, which would tell of the former arrays. */
async function recordPeriod(location: string, store: Store, period: [string, string]): Promise<void> {
  const attrs = { ...store.attrs, normalization_period: period };
  if (store.format === 2) {
    await writeFileAtomic(join(location, ".zattrs"), JSON.stringify(attrs, null, 4));
    await rm(join(location, ".zmetadata"), { force: true });
    return;
  }
  const path = join(location, "zarr.json");
  const { consolidated_metadata: _, ...root } = JSON.parse(await readFile(path, "utf8"));
  await writeFileAtomic(path, JSON.stringify({ ...root, attributes: attrs }, null, 4));
}
