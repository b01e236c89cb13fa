/** Mean and standard deviation of a field by month: one number (global) or one a grid point (local); docs/method.md, "Normalising". */
import type { Normalization } from "../../config/types.js";
import { AtmorepError } from "../../errors.js";
import type { LevelSource } from "../fields.js";
import type { Store } from "../storeTypes.js";
import type { Window } from "../types.js";
import { type Chunk, type ChunkedArray, readAll, type Values } from "../zarr/array.js";

/** Normalisation of one field and level for the months that a window touches. */
export interface MonthlyNormalization {
  kind: Normalization;
  /** by month, counted from January of the store's first year: one value (global) or [lat*lon] (local) */
  mean: Map<number, Values>;
  std: Map<number, Values>;
  /** To be called once, when the numbers have been used: they are shared, and others may take their place then. */
  release(): void;
}

const whole = new WeakMap<ChunkedArray, Promise<Float64Array>>();

/**
 * Reads what normalises one level of a field in the given months.
 * @throws AtmorepError (input) if the store lacks the array or a month, or (global) if a month holds no valid numbers
 */
export async function monthlyNormalization(
  store: Store,
  name: string,
  source: LevelSource,
  kind: Normalization,
  months: Iterable<number>,
): Promise<MonthlyNormalization> {
  const arrayName = `${kind === "local" ? "norm" : "global_norm"}${source.surface ? "_sfc" : ""}` as const;
  const array = store.arrays[arrayName];
  const where = `${store.statistics ?? store.location}: normalization/${arrayName}`;
  if (!array) {
    throw new AtmorepError("input", `the store has no ${kind} normalisation`, {
      where,
      fix: store.view
        ? "Name one with the key statistics (data normalize SOURCE --out writes it), or open the source with openData"
        : '"atmorep data normalize" computes it',
    });
  }
  const held: Chunk[] = [];
  const release = () => {
    for (const chunk of held.splice(0)) chunk.release();
  };
  const result: MonthlyNormalization = { kind, mean: new Map(), std: new Map(), release };
  const lead = placeIn(store, name, source, where);
  const readMonth = async (month: number): Promise<void> => {
    const row = store.normalizationYears === null ? month : month % 12;
    if (row >= array.shape[0]) {
      throw new AtmorepError("input", "the normalisation ends before the data", {
        where,
        found: `${array.shape[0]} months, from January of ${store.calendar.year[0]}`,
        expected: `month ${month} (${monthName(store, month)})`,
        fix: '"atmorep data normalize" computes it, with --by calendar-month for months of later years too',
      });
    }
    const read = async (statistic: number) => {
      if (kind === "global") return single(array, [row, statistic, ...lead]);
      held.push(await plane(store, array, [row, statistic, ...lead]));
      return held[held.length - 1].values;
    };
    const [mean, std] = [await read(0), await read(1)];
    if (kind === "global" && !(Number.isFinite(mean[0]) && std[0] > 0 && Number.isFinite(std[0]))) {
      throw invalidNormalization(
        store,
        name,
        source.level,
        month,
        `mean ${mean[0]}, standard deviation ${std[0]}`,
        where,
      );
    }
    result.mean.set(month, mean);
    result.std.set(month, std);
  };

  try {
    for (const month of months) await readMonth(month);
  } catch (error) {
    release();
    throw error;
  }
  return result;
}

/** Indices of a field and level on the axes of the normalisation. @throws AtmorepError (input) if it has none */
function placeIn(store: Store, name: string, source: LevelSource, where: string): number[] {
  const { fields, fieldsSfc, levels } = store.normalizationAxes;
  const place = source.surface ? [fieldsSfc.indexOf(name)] : [fields.indexOf(name), levels.indexOf(source.level)];
  if (!place.includes(-1)) return place;
  throw new AtmorepError("input", `there is no normalisation for ${name} level ${source.level}`, {
    where,
    found: `${[...fields, ...fieldsSfc].join(", ")}${levels.length > 0 ? ` on levels ${levels.join(", ")}` : ""}`,
    fix: '"atmorep data normalize SOURCE --out STATISTICS" computes it of all fields of a source',
  });
}

/** The fault of a month without usable normalisation. */
export function invalidNormalization(
  store: Store,
  name: string,
  level: number,
  month: number,
  found: string,
  where = `${store.statistics ?? store.location}: normalization`,
): AtmorepError {
  return new AtmorepError("input", `no valid normalisation for ${name} level ${level} in ${monthName(store, month)}`, {
    where,
    found,
    expected: "a finite mean and a standard deviation above 0",
    fix: store.normalizationYears
      ? `The normalisation by calendar month saw no such month in ${store.normalizationYears.join(", ")}: choose other dates, or compute it again over a longer period`
      : 'Choose dates in months that have data, or compute the normalisation again with "atmorep data normalize", with --by calendar-month for months after the period',
  });
}

/** `1996-02` for a month counted from January of the store's first year. */
export function monthName(store: Pick<Store, "calendar">, month: number): string {
  return `${store.calendar.year[0] + Math.floor(month / 12)}-${String((month % 12) + 1).padStart(2, "0")}`;
}

async function single(array: ChunkedArray, coords: number[]): Promise<Values> {
  let reading = whole.get(array);
  if (!reading) {
    reading = readAll(array);
    whole.set(array, reading);
  }
  const values = await reading;
  const index = coords.reduce((sum, c, axis) => sum * array.shape[axis] + c, 0);
  return values.subarray(index, index + 1);
}

/** The [lat, lon] plane of an array whose last two axes are latitude and longitude. */
function plane(store: Store, array: ChunkedArray, lead: number[]): Promise<Chunk> {
  const [Y, X] = array.shape.slice(lead.length);
  return store.cache.hold({
    name: `${array.name} plane`,
    index: lead.reduce((sum, c, axis) => sum * array.shape[axis] + c, 0),
    length: Y * X,
    itemBytes: array.itemBytes,
    load: (into) => assemblePlane(array, lead, into),
  });
}

async function assemblePlane(array: ChunkedArray, lead: number[], out: Values): Promise<void> {
  const n = lead.length;
  const [Y, X] = [array.shape[n], array.shape[n + 1]];
  const [cy, cx] = [array.chunkShape[n], array.chunkShape[n + 1]];
  const chunkLead = lead.map((c, axis) => Math.floor(c / array.chunkShape[axis]));
  const within =
    lead.reduce((sum, c, axis) => sum * array.chunkShape[axis] + (c % array.chunkShape[axis]), 0) * cy * cx;
  for (let yc = 0; yc * cy < Y; yc++) {
    for (let xc = 0; xc * cx < X; xc++) {
      const { values, release } = await array.chunk([...chunkLead, yc, xc]);
      const columns = Math.min(cx, X - xc * cx);
      for (let y = 0; y < cy && yc * cy + y < Y; y++) {
        const from = within + y * cx;
        out.set(values.subarray(from, from + columns), (yc * cy + y) * X + xc * cx);
      }
      release();
    }
  }
}

/**
 * Mean and standard deviation of one level of a field at every point of a window, for turning normalised values back
 * into physical ones: `x * std + mean`.
 * @returns mean and std, each [time, lat, lon]
 * @throws AtmorepError (input) as `monthlyNormalization`
 */
export async function windowNormalization(
  store: Store,
  name: string,
  source: LevelSource,
  kind: Normalization,
  window: Window,
): Promise<{ mean: Float64Array; std: Float64Array; shape: [number, number, number] }> {
  const months = Array.from(window.time, (t) => store.calendar.month[t]);
  const normalization = await monthlyNormalization(store, name, source, kind, new Set(months));
  const [T, Y, X] = [window.time.length, window.lat.length, window.lon.length];
  const mean = new Float64Array(T * Y * X);
  const std = new Float64Array(T * Y * X);
  let o = 0;
  for (let t = 0; t < T; t++) {
    const monthMean = normalization.mean.get(months[t])!;
    const monthStd = normalization.std.get(months[t])!;
    for (let y = 0; y < Y; y++) {
      const row = window.lat[y] * store.lons.length;
      for (let x = 0; x < X; x++, o++) {
        const i = kind === "local" ? row + window.lon[x] : 0;
        mean[o] = monthMean[i];
        std[o] = monthStd[i];
      }
    }
  }
  normalization.release();
  return { mean, std, shape: [T, Y, X] };
}
