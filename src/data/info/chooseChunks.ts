/** The shape of chunks that suits a configuration: bytes decoded for a byte used near 1, without tiny files. */
import type { CubeConfig } from "../cube.js";
import { resolveFields, windowSize } from "../fields.js";
import type { Chunks } from "../import/layout.js";
import { drawEpoch, type SamplingConfig } from "../sampling.js";
import type { Store } from "../storeTypes.js";
import { formatTime } from "../time.js";
import type { Window } from "../types.js";
import { windowOf } from "../window.js";

/** What asking for one more file costs, in bytes decoded instead: about a millisecond of a disk, less than a request. */
const FILE_BYTES = 512 * 1024;
const MOST_BYTES = 32 * 2 ** 20;
const FLOAT = 4;
const TIMES = [1, 2, 3, 4, 6, 8, 12, 24, 48];
/** Enough to tell shapes apart: places of a batch are spread over the globe already. */
const BATCHES = 2;

export interface ChosenChunks {
  chunks: Required<Chunks>;
  /** of `data`, or of `data_sfc` where there is no other */
  chunkBytes: number;
  /** in the mean of some batches */
  decodedPerUsed: number;
  filesPerBatch: number;
  /** decoded for a byte used with all fields and levels of a step in one chunk */
  wholeSteps: number;
}

/** A store as it will be, before it has chunks. */
export type Shapes = Pick<
  Store,
  | "fields"
  | "fieldsSfc"
  | "levels"
  | "lats"
  | "lons"
  | "res"
  | "isGlobal"
  | "times"
  | "calendar"
  | "filled"
  | "location"
>;

/**
 * Tries shapes on batches that the configuration draws, of its training dates or, where the store has none of these, of all
 * times.
 * @throws AtmorepError (config) if the store lacks what the configuration asks for
 */
export function chooseChunks(config: CubeConfig & SamplingConfig, shapes: Shapes): ChosenChunks {
  const [Y, X] = [shapes.lats.length, shapes.lons.length];
  const [F, S, L] = [shapes.fields.length, shapes.fieldsSfc.length, shapes.levels.length];
  const costOf = coster(config, shapes);
  const [, height, width] = windowSize(config, shapes);
  let best: { chunks: Required<Chunks>; cost: number; found: Cost } | null = null;
  for (const chunks of candidates({
    F: Math.max(F, S),
    L: Math.max(1, L),
    T: shapes.times.length,
    Y,
    X,
    height,
    width,
  })) {
    if (bytesOf(chunks, shapes) > MOST_BYTES) continue;
    const found = costOf(chunks);
    const cost = found.decoded + found.files * FILE_BYTES;
    // Of shapes that cost the same the first, which has the fewest cuts, stays.
    if (best === null || cost < best.cost * (1 - 1e-9)) best = { chunks, cost, found };
  }
  const smallest = { time: 1, field: 1, level: 1, lat: Math.min(Y, height), lon: Math.min(X, width) };
  const { chunks, found } = best ?? { chunks: smallest, found: costOf(smallest) };
  const whole = costOf({ time: 1, field: Math.max(F, S), level: Math.max(1, L), lat: Y, lon: X });
  return {
    chunks,
    chunkBytes: bytesOf(chunks, shapes),
    decodedPerUsed: found.decoded / found.used,
    filesPerBatch: Math.round(found.files),
    wholeSteps: whole.decoded / whole.used,
  };
}

const bytesOf = (chunks: Required<Chunks>, { fields, fieldsSfc, levels }: Shapes): number => {
  const { time, field, level, lat, lon } = chunks;
  const upper = fields.length > 0 ? Math.min(field, fields.length) * Math.min(level, levels.length) : 0;
  return time * Math.max(upper, Math.min(field, fieldsSfc.length)) * lat * lon * FLOAT;
};

interface Extents {
  F: number;
  L: number;
  T: number;
  Y: number;
  X: number;
  /** of the window */
  height: number;
  width: number;
}

function candidates({ F, L, T, Y, X, height, width }: Extents): Required<Chunks>[] {
  const cuts = (size: number, window: number) =>
    [...new Set([size, window * 2, window, Math.ceil(window / 2)])].filter((n) => n <= size && n >= 1);
  const all: Required<Chunks>[] = [];
  for (const field of new Set([F, 1])) {
    for (const level of new Set([L, 1])) {
      for (const lat of cuts(Y, height)) {
        for (const lon of cuts(X, width)) {
          for (const time of TIMES) if (time <= T) all.push({ time, field, level, lat, lon });
        }
      }
    }
  }
  return all;
}

function drawn(config: CubeConfig & SamplingConfig, store: Store) {
  const seeded = { ...config, rng_seed: config.rng_seed ?? 0 };
  const epoch = (own: typeof seeded) => drawEpoch({ config: own, store, split: "train", epoch: 0 });
  let all: ReturnType<typeof epoch>;
  try {
    all = epoch(seeded);
  } catch {
    const { times } = store;
    const period: [string, string] = [formatTime(times[0]), formatTime(times[times.length - 1])];
    all = epoch({ ...seeded, month: null, dates_train: [period] });
  }
  return Array.from({ length: Math.min(BATCHES, all.length) }, (_, k) => all[Math.floor((k * all.length) / BATCHES)]);
}

interface Cost {
  decoded: number;
  used: number;
  files: number;
}

/**
 * The mean cost of batches, as `batchCost` has it. All samples of a batch share its times, so that it touches the product of
 * chunks in time, chunks of fields and levels, and places; each of them is counted once for an extent, not for a shape.
 */
function coster(config: CubeConfig & SamplingConfig, shapes: Shapes): (chunks: Required<Chunks>) => Cost {
  const store = shapes as Store;
  const sources = resolveFields(config, store).flatMap((field) => field.sources);
  const batches = drawn(config, store).map((draw) =>
    draw.places.map((place) => windowOf(store, config, draw.timeIndex, place)),
  );
  const used = batches.map((windows) =>
    windows.reduce(
      (sum, { time, lat, lon }) => sum + sources.length * time.length * lat.length * lon.length * FLOAT,
      0,
    ),
  );
  const counts = new Map<string, number>();
  const once = (key: string, count: () => number): number => {
    const known = counts.get(key) ?? count();
    counts.set(key, known);
    return known;
  };
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const sizes = { data: shapes.fields.length, data_sfc: shapes.fieldsSfc.length };
  return ({ time, field, level, lat, lon }) => {
    const cost: Cost = { decoded: 0, used: mean(used), files: 0 };
    for (const name of ["data", "data_sfc"] as const) {
      const own = sources.filter(({ surface }) => surface === (name === "data_sfc"));
      if (own.length === 0) continue;
      const extents = [Math.min(field, sizes[name]), name === "data" ? Math.min(level, shapes.levels.length) : 1];
      const leads = distinct(
        own,
        (s) => Math.floor(s.fieldIndex / extents[0]) * 4096 + Math.floor(s.levelIndex / extents[1]),
      );
      const files = batches.map((windows, b) => {
        const times = once(`time ${b} ${time}`, () => distinct(windows[0].time, (t) => Math.floor(t / time)));
        const places = once(`place ${b} ${lat} ${lon}`, () => placesOf(windows, lat, lon));
        return times * places * leads;
      });
      cost.files += mean(files);
      cost.decoded += mean(files) * time * extents[0] * extents[1] * lat * lon * FLOAT;
    }
    return cost;
  };
}

const distinct = <T>(items: Iterable<T>, key: (item: T) => number): number => {
  const seen = new Set<number>();
  for (const item of items) seen.add(key(item));
  return seen.size;
};

/** Chunks of places that any of the windows touches. */
function placesOf(windows: readonly Window[], lat: number, lon: number): number {
  const seen = new Set<number>();
  for (const window of windows) {
    const columns = new Set(Array.from(window.lon, (x) => Math.floor(x / lon)));
    for (const row of new Set(Array.from(window.lat, (y) => Math.floor(y / lat)))) {
      for (const column of columns) seen.add(row * 65536 + column);
    }
  }
  return seen.size;
}

/** One line for people. */
export function chunksText(
  name: string,
  { chunks, chunkBytes, decodedPerUsed, filesPerBatch, wholeSteps }: ChosenChunks,
): string {
  const { time, field, level, lat, lon } = chunks;
  const size = chunkBytes >= 1e6 ? `${(chunkBytes / 1e6).toFixed(1)} MB` : `${(chunkBytes / 1e3).toFixed(0)} kB`;
  return `chunks for ${name}: time=${time},field=${field},level=${level},lat=${lat},lon=${lon} (${size}): a batch decodes ${decodedPerUsed.toPrecision(2)} bytes for each it uses, of ${filesPerBatch} chunks (whole steps in a chunk: ${wholeSteps.toPrecision(2)})`;
}
