/** Describing a store: fields, levels, times and gaps, grid, chunks, normalisation, ranges, missing values, outliers. */
import { isUrl } from "../../config/resolve.js";
import { type LevelSource, levelSource } from "../fields.js";
import { cubesOfStore, unevenSteps, usualStep } from "../gaps.js";
import { monthlyNormalization, monthName } from "../normalization/monthly.js";
import type { Store, View } from "../storeTypes.js";
import { formatTime, HOUR_NS } from "../time.js";
import { type Extreme, type LevelScan, type Scan, scanStore } from "./scan.js";
import { type ArrayStorage, describeStorage } from "./storage.js";

export interface FieldInfo {
  name: string;
  /** 0 is the surface */
  level: number;
  min: number;
  max: number;
  mean: number;
  /** of the stored values; like the mean of finite values alone */
  std: number;
  /** as the store's attribute `units` gives it; null if it does not */
  unit: string | null;
  /** values that were read: of all steps, or of those of `scanned` */
  values: number;
  /** NaN values, and time steps that hold any */
  missing: number;
  missingSteps: number;
  /** first and last of these steps; null if there is none */
  missingSpan: [string, string] | null;
  infinite: number;
  /** values out of all proportion to the middle half of the others, and one of them */
  outliers: { count: number; example: Place } | null;
  /** time steps that the store names as filled */
  filledSteps: number[];
}

/** A value and where it stands: time, geographic degrees. */
export interface Place {
  value: number;
  time: string;
  lat: number;
  lon: number;
}

export interface StoreInfo {
  location: string;
  /** of Zarr; null for a view */
  format: 2 | 3 | null;
  /** of what it is a view; null for a store of the AtmoRep layout */
  view: View | null;
  /** place of a normalisation beside the source */
  statistics: string | null;
  fields: string[];
  fieldsSfc: string[];
  levels: number[];
  times: {
    count: number;
    first: string;
    last: string;
    unit: string;
    /** the most frequent step, in hours */
    stepHours: number;
    /** places where the step is another one: the times before and after */
    gaps: [before: string, after: string][];
    /** cubes of the default configuration's length that the store has room for; those across gaps are not drawn */
    cubes: { steps: number; cubes: number; acrossGaps: number };
  };
  grid: {
    rows: number;
    columns: number;
    /** degrees */
    res: [lat: number, lon: number];
    isGlobal: boolean;
    /** geographic degrees */
    north: number;
    south: number;
    west: number;
    east: number;
  };
  normalization: {
    period: [string, string] | null;
    /** years that a normalisation by calendar month comes from; null if each month has its own */
    calendarMonthsOf: number[] | null;
    global: boolean;
    local: boolean;
    /** months with data but without valid global normalisation */
    missingMonths: string[];
  };
  /** the arrays `data` and `data_sfc` as files; none of a view */
  storage: ArrayStorage[];
  /** time steps whose values were read; null if none were */
  scanned: { steps: number; of: number } | null;
  /** null if the values were not read */
  values: FieldInfo[] | null;
  attrs: Record<string, unknown>;
}

/** The most bytes of values that are decoded unasked: of a store on disk, and over http. */
const LOCAL_BYTES = 2 ** 30;
const REMOTE_BYTES = 2 ** 26;
/** Cubes of the default configuration (`n_size`, `time_sampling`). */
const CUBE = { n_size: [12] as const, time_sampling: 1 };

/**
 * Describes a store.
 * @param values true: also reads values, for ranges and missing ones: all of them up to 1 GiB (over http 64 MiB), beyond that
 *   evenly spaced time steps of as many bytes. A scan: what it has seen
 * @throws AtmorepError (input) for faults of the store
 */
export async function describeStore(store: Store, values: boolean | Scan = true): Promise<StoreInfo> {
  const { lats, lons, times, arrays } = store;
  const step = usualStep(times);
  const gaps = unevenSteps(times).map((i): [string, string] => [formatTime(times[i - 1]), formatTime(times[i])]);
  const has = (upper: unknown, surface: unknown) =>
    (!arrays.data || upper !== null) && (!arrays.data_sfc || surface !== null);
  const info: StoreInfo = {
    location: store.location,
    format: store.format,
    view: store.view,
    statistics: store.statistics,
    fields: store.fields,
    fieldsSfc: store.fieldsSfc,
    levels: store.levels,
    times: {
      count: times.length,
      first: formatTime(times[0]),
      last: formatTime(times[times.length - 1]),
      unit: store.timeUnit,
      stepHours: Number(step) / Number(HOUR_NS),
      gaps,
      cubes: { steps: CUBE.n_size[0], ...cubesOfStore(times, CUBE) },
    },
    grid: {
      rows: lats.length,
      columns: lons.length,
      res: store.res,
      isGlobal: store.isGlobal,
      north: 90 - lats[0],
      south: 90 - lats[lats.length - 1],
      west: lons[0],
      east: lons[lons.length - 1],
    },
    normalization: {
      period: store.normalizationPeriod,
      calendarMonthsOf: store.normalizationYears,
      global: has(arrays.global_norm, arrays.global_norm_sfc),
      local: has(arrays.norm, arrays.norm_sfc),
      missingMonths: await monthsWithoutNormalization(store),
    },
    storage: store.view ? [] : await describeStorage(store),
    scanned: null,
    values: null,
    attrs: store.attrs,
  };
  if (values === false) return info;
  const bytes = isUrl(store.location) ? REMOTE_BYTES : LOCAL_BYTES;
  const scan = values === true ? await scanStore(store, { bytes }) : values;
  if (scan.steps === 0) return info;
  info.scanned = { steps: scan.steps, of: scan.ofSteps };
  info.values = scan.levels.map((level) => describeLevel(store, level));
  return info;
}

/** Every field and level of a store. */
export function levelsOf(store: Store): [name: string, source: LevelSource][] {
  return [
    ...store.fields.flatMap((name) => store.levels.map((level): [string, number] => [name, level])),
    ...store.fieldsSfc.map((name): [string, number] => [name, 0]),
  ].map(([name, level]) => [name, levelSource(store, name, level)]);
}

async function monthsWithoutNormalization(store: Store): Promise<string[]> {
  const missing: string[] = [];
  for (const month of new Set(store.calendar.month)) {
    for (const [name, source] of levelsOf(store)) {
      try {
        await monthlyNormalization(store, name, source, "global", [month]);
      } catch {
        missing.push(monthName(store, month));
        break;
      }
    }
  }
  return missing;
}

function describeLevel(store: Store, scan: LevelScan): FieldInfo {
  const { name, level, count, sum, sumOfSquares, missing, infinite, outliers } = scan;
  const mean = sum / count;
  const units = store.attrs.units as Record<string, unknown> | undefined;
  const unit = units?.[`${name} ${level}`] ?? units?.[name];
  const steps = [...scan.missingAt.keys()].filter((t) => scan.missingAt[t] === 1);
  const example = outliers?.example;
  return {
    name,
    level,
    min: scan.min.value,
    max: scan.max.value,
    mean,
    std: Math.sqrt(Math.max(0, sumOfSquares / count - mean * mean)),
    unit: typeof unit === "string" ? unit : null,
    values: count + missing + infinite,
    missing,
    missingSteps: steps.length,
    missingSpan:
      steps.length > 0
        ? ([steps[0], steps[steps.length - 1]].map((t) => formatTime(store.times[t])) as [string, string])
        : null,
    infinite,
    outliers: example ? { count: outliers.count, example: placeOf(store, example) } : null,
    filledSteps: [...(levelSource(store, name, level).filled ?? [])].sort((a, b) => a - b),
  };
}

/** Time and place of a value for people. */
function placeOf({ times, lats, lons }: Store, { value, at: [t, y, x] }: Extreme): Place {
  return { value, time: formatTime(times[t]), lat: 90 - lats[y], lon: lons[x] % 360 };
}
