/** Computing the normalisation arrays of an existing store. */
import { readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { AtmorepError } from "../../errors.js";
import { writeDirectoryAtomic, writeFileAtomic } from "../../formats/atomic.js";
import { levelsOf } from "../info.js";
import { openStore, type Store } from "../store.js";
import { formatTime, parseTime } from "../time.js";
import { readValues, wholeWindow } from "../values.js";
import { directorySink, writeGroup } from "../zarr/write.js";
import { MonthAccumulator, type MonthStatistics, writeNormalization } from "./statistics.js";

export interface NormalizeSummary {
  location: string;
  /** first and last time used */
  period: [string, string];
  steps: number;
  /** months that got values */
  months: number;
  arrays: string[];
}

/**
 * Computes `normalization/` of a store in a folder from its values, month by month, and replaces what stood there.
 * NaN and steps named as `filled` do not count. The root attribute `normalization_period` tells the dates.
 * @param dates first and last time to use, both inclusive; null for all
 * @throws AtmorepError (usage) if the store is not a folder or no step lies in the dates; (input) for faults of the store
 */
export async function normalizeStore(location: string, dates: [string, string] | null): Promise<NormalizeSummary> {
  const info = await stat(location).catch(() => null);
  if (!info?.isDirectory()) {
    throw new AtmorepError("usage", "normalisation can be written into a folder only", {
      where: location,
      fix: info ? "Unpack the zip file" : "Give the path of a store in a folder",
    });
  }
  const store = await openStore(location);
  try {
    const steps = stepsIn(store, dates);
    const months = (Math.floor(store.calendar.month[store.times.length - 1] / 12) + 1) * 12;
    const grid: [number, number] = [store.lats.length, store.lons.length];
    const arrays: string[] = [];
    let used = 0;
    await writeDirectoryAtomic(join(location, "normalization"), async (folder) => {
      const sink = directorySink(folder);
      await writeGroup(sink, "", undefined, store.format);
      for (const suffix of ["", "_sfc"] as const) {
        const array = suffix ? store.arrays.data_sfc : store.arrays.data;
        if (!array) continue;
        const byMonth = await statisticsOf(store, suffix === "_sfc", steps);
        used = Math.max(used, byMonth.size);
        const channels = suffix ? [store.fieldsSfc.length] : [store.fields.length, store.levels.length];
        await writeNormalization({ sink, suffix, prefix: "", channels, grid, months, format: store.format }, byMonth);
        arrays.push(`global_norm${suffix}`, `norm${suffix}`);
      }
    });
    const period: [string, string] = [
      formatTime(store.times[steps[0]]),
      formatTime(store.times[steps[steps.length - 1]]),
    ];
    await recordPeriod(location, store, period);
    return { location, period, steps: steps.length, months: used, arrays };
  } finally {
    await store.close();
  }
}

function stepsIn(store: Store, dates: [string, string] | null): number[] {
  const [from, to] = (dates ?? []).map((text) => {
    const time = parseTime(text);
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

async function statisticsOf(store: Store, surface: boolean, steps: number[]): Promise<Map<number, MonthStatistics>> {
  const sources = levelsOf(store).filter(([, source]) => source.surface === surface);
  const points = store.lats.length * store.lons.length;
  const byMonth = new Map<number, MonthStatistics>();
  let accumulator = new MonthAccumulator(sources.length, points);
  for (const [i, t] of steps.entries()) {
    for (const [c, [, source]] of sources.entries()) {
      if (source.filled?.has(t)) continue;
      accumulator.add(c, (await readValues(store, source, wholeWindow(store, Int32Array.of(t)))).values);
    }
    const month = store.calendar.month[t];
    if (i + 1 === steps.length || store.calendar.month[steps[i + 1]] !== month) {
      byMonth.set(month, accumulator.result());
      accumulator = new MonthAccumulator(sources.length, points);
    }
  }
  return byMonth;
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
