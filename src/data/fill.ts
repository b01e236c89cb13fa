/**
 * From a decoded chunk into tokens: each value minus its mean, over its standard deviation, straight to its place.
 */
import { AtmorepError } from "../errors.js";
import type { LevelSource } from "./fields.js";
import { invalidNormalization, type MonthlyNormalization } from "./normalization/monthly.js";
import type { Store } from "./store.js";
import { formatTime } from "./time.js";
import type { TokenLayout } from "./tokens.js";
import type { FieldCube } from "./types.js";
import type { ChunkedArray, Values } from "./zarr/array.js";

/** One level of a field of the batch. */
export interface GatherJob {
  name: string;
  source: LevelSource;
  layout: TokenLayout;
  /** where the level's sample 0 starts in the field's tokens */
  offset: number;
  /** from one sample to the next, in values */
  stride: number;
  normalization: MonthlyNormalization;
  /** every value of the level's tokens is written; `valid` is made when a first point does not count */
  into: Pick<FieldCube, "tokens" | "valid">;
}

/** Grid points of a sample's window along one axis that lie in one chunk. */
export interface Points {
  /** index on the axis within the window */
  window: Int32Array;
  /** index within the chunk */
  chunk: Int32Array;
  /** index in the store */
  store: Int32Array;
}

/** Copies what one chunk has of sample `b` of a level into its tokens, normalised. */
export function fill(
  store: Store,
  array: ChunkedArray,
  values: Values,
  job: GatherJob,
  b: number,
  time: Points,
  lat: Points,
  lon: Points,
  skip: boolean,
): void {
  const { source, layout, into, normalization } = job;
  const rank = array.shape.length;
  const [chunkY, chunkX] = [array.chunkShape[rank - 2], array.chunkShape[rank - 1]];
  const planeSize = chunkY * chunkX;
  const fieldsInChunk = array.chunkShape[1];
  const levelsInChunk = source.surface ? 1 : array.chunkShape[2];
  const plane = (source.fieldIndex % fieldsInChunk) * levelsInChunk + (source.levelIndex % levelsInChunk);
  const base = job.offset + b * job.stride;
  const local = normalization.kind === "local";
  const X = store.lons.length;
  const out = into.tokens;
  const runs = runsOf(lon, layout);

  for (let k = 0; k < time.window.length; k++) {
    const t = time.store[k];
    const month = store.calendar.month[t];
    const mean = normalization.mean.get(month)!;
    const std = normalization.std.get(month)!;
    const from = (time.chunk[k] * fieldsInChunk * levelsInChunk + plane) * planeSize;
    const to = base + layout.time[time.window[k]];
    const filled = source.filled?.has(t) ?? false;
    for (let y = 0; y < lat.window.length; y++) {
      const fromRow = from + lat.chunk[y] * chunkX;
      const toRow = to + layout.lat[lat.window[y]];
      const normRow = lat.store[y] * X;
      const bad = local
        ? copyRowLocal(values, fromRow, out, toRow, runs, mean, std, normRow)
        : copyRow(values, fromRow, out, toRow, runs, mean[0], std[0]);
      if (filled) for (let x = 0; x < lon.window.length; x++) validOf(into)[toRow + layout.lon[lon.window[x]]] = 0;
      if (bad === 0) continue;
      for (let x = 0; x < lon.window.length; x++) {
        const o = toRow + layout.lon[lon.window[x]];
        if (Number.isFinite(out[o])) continue;
        if (!skip) throw missingValue(store, array, job, t, lat.store[y], lon.store[x], values[fromRow + lon.chunk[x]]);
        out[o] = 0;
        validOf(into)[o] = 0;
      }
    }
  }
}

/** Stretches of a row that are neighbours in the chunk, in the store and in a token: [count, 4] of length, places there. */
const RUN = 4;

function runsOf({ window, chunk, store }: Points, { lon }: TokenLayout): Int32Array {
  const runs: number[] = [];
  for (let x = 0; x < window.length; x++) {
    const to = lon[window[x]];
    const last = runs.length - RUN;
    const length = runs[last];
    if (
      x > 0 &&
      chunk[x] === runs[last + 1] + length &&
      store[x] === runs[last + 2] + length &&
      to === runs[last + 3] + length
    )
      runs[last]++;
    else runs.push(1, chunk[x], store[x], to);
  }
  return Int32Array.from(runs);
}

/**
 * A row with one mean and one standard deviation, the usual case, kept free of look-ups.
 * @returns 0 unless a value is NaN or, with a standard deviation of 0, infinite
 */
function copyRow(
  values: Values,
  fromRow: number,
  out: Float32Array,
  toRow: number,
  runs: Int32Array,
  mean: number,
  std: number,
): number {
  let bad = 0;
  for (let r = 0; r < runs.length; r += RUN) {
    const from = fromRow + runs[r + 1];
    const to = toRow + runs[r + 3];
    const length = runs[r];
    for (let x = 0; x < length; x++) {
      const value = (values[from + x] - mean) / std;
      bad += value - value;
      out[to + x] = value;
    }
  }
  return bad;
}

/** The same with a mean and a standard deviation of each point: `normRow` is where the row's begin. */
function copyRowLocal(
  values: Values,
  fromRow: number,
  out: Float32Array,
  toRow: number,
  runs: Int32Array,
  mean: ArrayLike<number>,
  std: ArrayLike<number>,
  normRow: number,
): number {
  let bad = 0;
  for (let r = 0; r < runs.length; r += RUN) {
    const from = fromRow + runs[r + 1];
    const norm = normRow + runs[r + 2];
    const to = toRow + runs[r + 3];
    const length = runs[r];
    for (let x = 0; x < length; x++) {
      const value = (values[from + x] - mean[norm + x]) / std[norm + x];
      bad += value - value;
      out[to + x] = value;
    }
  }
  return bad;
}

function validOf(into: GatherJob["into"]): Uint8Array {
  into.valid ??= new Uint8Array(into.tokens.length).fill(1);
  return into.valid;
}

function missingValue(
  store: Store,
  array: ChunkedArray,
  { name, source, normalization }: GatherJob,
  t: number,
  y: number,
  x: number,
  value: number,
): AtmorepError {
  if (Number.isFinite(value)) {
    const month = store.calendar.month[t];
    const i = normalization.kind === "local" ? y * store.lons.length + x : 0;
    const found = `mean ${normalization.mean.get(month)![i]}, standard deviation ${normalization.std.get(month)![i]} at [${y}, ${x}]`;
    return invalidNormalization(store, name, source.level, month, found);
  }
  return new AtmorepError("input", "a value is missing", {
    where: `${store.location}: ${array.name}`,
    found: `${value} in ${name} level ${source.level} at ${formatTime(store.times[t])} (step ${t}), latitude ${90 - store.lats[y]}, longitude ${store.lons[x]}`,
    expected: 'finite values, or the configuration key missing_values "skip"',
    fix: '--set missing_values=skip leaves such points out of losses and scores; "atmorep data info" counts them',
  });
}
