/** Describing a store: fields, levels, times and gaps, grid, normalisation, missing values. */
import { type LevelSource, levelSource } from "./fields.js";
import { usualStep } from "./gaps.js";
import { monthlyNormalization, monthName } from "./normalization/monthly.js";
import type { Store } from "./store.js";
import { formatTime, HOUR_NS } from "./time.js";
import { readValues, wholeWindow } from "./values.js";

export interface FieldInfo {
  name: string;
  /** 0 is the surface */
  level: number;
  min: number;
  max: number;
  mean: number;
  /** NaN values, and time steps that hold any */
  missing: number;
  missingSteps: number;
  /** time steps that the store names as filled */
  filledSteps: number[];
}

export interface StoreInfo {
  location: string;
  format: 2 | 3;
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
    /** places where the step is longer: the times before and after */
    gaps: [before: string, after: string][];
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
  /** null if the values were not read */
  values: FieldInfo[] | null;
  attrs: Record<string, unknown>;
}

/**
 * Describes a store.
 * @param withValues also reads every value, for ranges and missing values
 * @throws AtmorepError (input) for faults of the store
 */
export async function describeStore(store: Store, withValues = true): Promise<StoreInfo> {
  const { lats, lons, times, arrays } = store;
  const step = usualStep(times);
  const gaps: [string, string][] = [];
  for (let i = 1; i < times.length; i++) {
    if (times[i] - times[i - 1] > step) gaps.push([formatTime(times[i - 1]), formatTime(times[i])]);
  }
  const has = (upper: unknown, surface: unknown) =>
    (!arrays.data || upper !== null) && (!arrays.data_sfc || surface !== null);
  const info: StoreInfo = {
    location: store.location,
    format: store.format,
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
    values: null,
    attrs: store.attrs,
  };
  if (withValues) {
    info.values = [];
    for (const [name, source] of levelsOf(store)) info.values.push(await describeField(store, name, source));
  }
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

async function describeField(store: Store, name: string, source: LevelSource): Promise<FieldInfo> {
  const info: FieldInfo = {
    name,
    level: source.level,
    min: Infinity,
    max: -Infinity,
    mean: Number.NaN,
    missing: 0,
    missingSteps: 0,
    filledSteps: [...(source.filled ?? [])].sort((a, b) => a - b),
  };
  let sum = 0;
  let count = 0;
  for (let t = 0; t < store.times.length; t++) {
    const { values } = await readValues(store, source, wholeWindow(store, Int32Array.of(t)));
    const before = info.missing;
    for (const value of values) {
      if (Number.isNaN(value)) info.missing += 1;
      else {
        sum += value;
        count += 1;
        if (value < info.min) info.min = value;
        if (value > info.max) info.max = value;
      }
    }
    if (info.missing > before) info.missingSteps += 1;
  }
  info.mean = sum / count;
  return info;
}
