/** Statistics of every field and level of a store, chunk by chunk: each chunk is decoded once, whatever it holds. */
import { isAtmorepError } from "../../errors.js";
import type { Store } from "../storeTypes.js";
import { type Chunk, type ChunkedArray, unravel, type Values } from "../zarr/array.js";

export interface ScanOptions {
  /** decoded bytes at most; evenly spaced chunks in time are taken. Default: everything */
  bytes?: number;
  /** called with each chunk that cannot be read; without it the first one ends the scan */
  onFault?: (message: string) => void;
}

/** What was seen of one field on one level. */
export interface LevelScan {
  name: string;
  /** 0 is the surface */
  level: number;
  min: Extreme;
  max: Extreme;
  sum: number;
  sumOfSquares: number;
  /** finite values */
  count: number;
  /** NaN values */
  missing: number;
  /** by time step: 1 where a value is NaN */
  missingAt: Uint8Array;
  infinite: number;
  /** values that lie out of all proportion, and the bounds that they pass; null without bounds */
  outliers: { count: number; low: number; high: number; example: Extreme | null } | null;
}

/** A value and its place: indices of time, latitude and longitude. */
export interface Extreme {
  value: number;
  at: [time: number, lat: number, lon: number];
}

export interface Scan {
  levels: LevelScan[];
  /** time steps that were read of those that there are; they differ if `bytes` is smaller than the store */
  steps: number;
  ofSteps: number;
}

const NOTHING: [number, number, number] = [-1, -1, -1];
/** chunks that are read ahead */
const AHEAD = 4;
const SAMPLE = 20_000;

/**
 * Reads the values of a store, all of them or evenly spaced parts.
 * @throws AtmorepError (input) for a damaged chunk, unless `onFault` is given
 */
export async function scanStore(store: Store, options: ScanOptions = {}): Promise<Scan> {
  const levels: LevelScan[] = [];
  const read = new Uint8Array(store.times.length);
  const arrays = [store.arrays.data, store.arrays.data_sfc].filter((array) => array !== null);
  const all = arrays.reduce((sum, array) => sum + array.shape.reduce((a, b) => a * b, 4), 0);
  const share = Math.min(1, (options.bytes ?? Number.POSITIVE_INFINITY) / all);
  for (const array of arrays) {
    const own = targets(store, array);
    levels.push(...own);
    await scanArray(array, own, { share, read, onFault: options.onFault });
  }
  return { levels, steps: read.reduce((a, b) => a + b, 0), ofSteps: store.times.length };
}

function targets(store: Store, array: ChunkedArray): LevelScan[] {
  const surface = array === store.arrays.data_sfc;
  const names = surface ? store.fieldsSfc : store.fields;
  return names.flatMap((name) =>
    (surface ? [0] : store.levels).map((level) => ({
      name,
      level,
      min: { value: Number.POSITIVE_INFINITY, at: NOTHING },
      max: { value: Number.NEGATIVE_INFINITY, at: NOTHING },
      sum: 0,
      sumOfSquares: 0,
      count: 0,
      missing: 0,
      missingAt: new Uint8Array(store.times.length),
      infinite: 0,
      outliers: null,
    })),
  );
}

interface ArrayScan {
  /** part of the chunks in time that are read */
  share: number;
  /** by time step: 1 where it was read */
  read: Uint8Array;
  onFault?: (message: string) => void;
}

async function scanArray(array: ChunkedArray, levels: LevelScan[], { share, read, onFault }: ArrayScan): Promise<void> {
  const counts = array.shape.map((n, i) => Math.ceil(n / array.chunkShape[i]));
  const taken = Math.floor(counts[0] * share);
  const chosen = Array.from({ length: taken }, (_, k) => Math.floor(((k + 0.5) * counts[0]) / taken));
  const inner = counts.slice(1).reduce((a, b) => a * b, 1);
  const total = chosen.length * inner;
  const coordsOf = (k: number) => [chosen[Math.floor(k / inner)], ...unravel(k % inner, counts.slice(1))];
  const load = (coords: number[]) =>
    array.chunk(coords).catch((error: unknown) => {
      if (!onFault || !isAtmorepError(error)) throw error;
      onFault(error.message);
      return null;
    });
  const pending: Promise<Chunk | null>[] = [];
  for (let k = 0; k < total; k++) {
    for (let next = k + pending.length; next < Math.min(total, k + AHEAD); next++) {
      const loading = load(coordsOf(next));
      // it is awaited in its turn
      loading.catch(() => {});
      pending.push(loading);
    }
    const chunk = await pending.shift()!;
    if (chunk) scanChunk(array, levels, coordsOf(k), chunk.values);
    chunk?.release();
  }
  for (const time of chosen) {
    read.fill(1, time * array.chunkShape[0], Math.min(array.shape[0], (time + 1) * array.chunkShape[0]));
  }
}

/** Axes of the array as [time, field, level, lat, lon]; the surface has one level. */
const five = (of: readonly number[], filler: number): number[] =>
  of.length === 5 ? [...of] : [of[0], of[1], filler, of[2], of[3]];

function scanChunk(array: ChunkedArray, levels: LevelScan[], at: readonly number[], values: Values): void {
  const [T, F, L, Y, X] = five(array.shape, 1);
  const [ct, cf, cl, cy, cx] = five(array.chunkShape, 1);
  const [t0, f0, l0, y0, x0] = five(at, 0).map((n, i) => n * [ct, cf, cl, cy, cx][i]);
  for (let f = 0; f < cf && f0 + f < F; f++) {
    for (let l = 0; l < cl && l0 + l < L; l++) {
      const own = levels[(f0 + f) * L + l0 + l];
      own.outliers ??= boundsOf(values, (t) => ((t * cf + f) * cl + l) * cy * cx, {
        steps: Math.min(ct, T - t0),
        rows: Math.min(cy, Y - y0),
        columns: Math.min(cx, X - x0),
        width: cx,
      });
      for (let t = 0; t < ct && t0 + t < T; t++) {
        for (let y = 0; y < cy && y0 + y < Y; y++) {
          const row = (((t * cf + f) * cl + l) * cy + y) * cx;
          const columns = Math.min(cx, X - x0);
          for (let x = 0; x < columns; x++) see(own, values[row + x], t0 + t, y0 + y, x0 + x);
        }
      }
    }
  }
}

function see(own: LevelScan, value: number, t: number, y: number, x: number): void {
  if (Number.isNaN(value)) {
    own.missing += 1;
    own.missingAt[t] = 1;
    return;
  }
  if (!Number.isFinite(value)) {
    own.infinite += 1;
    return;
  }
  own.sum += value;
  own.sumOfSquares += value * value;
  own.count += 1;
  if (value < own.min.value) own.min = { value, at: [t, y, x] };
  if (value > own.max.value) own.max = { value, at: [t, y, x] };
  const { outliers } = own;
  if (!outliers || (value >= outliers.low && value <= outliers.high)) return;
  outliers.count += 1;
  outliers.example ??= { value, at: [t, y, x] };
}

interface Part {
  steps: number;
  rows: number;
  columns: number;
  /** values from a row to the next */
  width: number;
}

/** So many times the middle half's width from the median lies nothing that weather does. */
const FAR = 50;
/** Precipitation and the like pile up at 0 and have long tails. */
const FAR_SKEWED = 5000;

/** Bounds from the quartiles of the first chunk that holds a field; null where its values hardly differ. */
function boundsOf(values: Values, offset: (t: number) => number, { steps, rows, columns, width }: Part) {
  const size = steps * rows * columns;
  const stride = Math.max(1, Math.floor(size / SAMPLE));
  const some: number[] = [];
  for (let k = 0; k < size; k += stride) {
    const [t, rest] = [Math.floor(k / (rows * columns)), k % (rows * columns)];
    const value = values[offset(t) + Math.floor(rest / columns) * width + (rest % columns)];
    if (Number.isFinite(value)) some.push(value);
  }
  if (some.length < 20) return null;
  some.sort((a, b) => a - b);
  const quantile = (q: number) => some[Math.floor(q * (some.length - 1))];
  const [low, middle, high] = [quantile(0.25), quantile(0.5), quantile(0.75)];
  if (high - low <= 0) return null;
  const skewed = some[0] >= -0.01 * Math.abs(middle) && some[0] < 0.1 * middle;
  const reach = (skewed ? FAR_SKEWED : FAR) * (high - low);
  return { count: 0, low: middle - reach, high: middle + reach, example: null };
}
