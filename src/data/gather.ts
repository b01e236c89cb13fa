/**
 * The inner loops of batch preparation: from decoded chunks straight into tokens.
 * A batch has one time range and B places, so each chunk is looked at once for all samples.
 */
import { AtmorepError } from "../errors.js";
import type { LevelSource } from "./fields.js";
import { invalidNormalization, type MonthlyNormalization } from "./normalization/monthly.js";
import type { Store } from "./store.js";
import { formatTime } from "./time.js";
import type { TokenLayout } from "./tokens.js";
import type { FieldCube, Window } from "./types.js";
import { type Chunk, type ChunkedArray, product, type Values } from "./zarr/array.js";

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
interface Points {
  /** index on the axis within the window */
  window: Int32Array;
  /** index within the chunk */
  chunk: Int32Array;
  /** index in the store */
  store: Int32Array;
}

/** A chunk, and what of a batch lies in it. */
interface Read<J> {
  coords: number[];
  time: Points;
  jobs: J[];
  yc: number;
  xc: number;
}

/** What a reading may be ended by; looked at between chunks. */
export interface Ended {
  readonly aborted: boolean;
}

/**
 * Fills the jobs' tokens from one array: [time, field, level, lat, lon] or [time, field_sfc, lat, lon].
 * @throws Error if `ended` says so before the end; AtmorepError (input) for missing values and damaged chunks
 */
export async function gather(
  store: Store,
  array: ChunkedArray,
  windows: readonly Window[],
  jobs: readonly GatherJob[],
  skip: boolean,
  ended?: Ended,
): Promise<void> {
  const { reads, lats, lons } = planReads(array, windows, jobs);
  const ahead = store.cache.atOnce(array.itemBytes * product(array.chunkShape)) - 1;
  const loading: Promise<Chunk>[] = [];
  const ask = (i: number) => {
    if (i >= reads.length) return;
    loading[i] = array.chunk(reads[i].coords);
    // A failure is thrown where the chunk is awaited; until then it must not count as unhandled.
    loading[i].catch(() => {});
  };
  for (let i = 0; i < ahead; i++) ask(i);
  try {
    for (const [i, read] of reads.entries()) {
      if (ended?.aborted) throw new Error("reading was ended");
      ask(i + ahead);
      const { values, release } = await loading[i];
      delete loading[i];
      try {
        for (const job of read.jobs) {
          for (let b = 0; b < windows.length; b++) {
            const lat = lats[b].get(read.yc);
            const lon = lons[b].get(read.xc);
            if (lat && lon) fill(store, array, values, job, b, read.time, lat, lon, skip);
          }
        }
      } finally {
        release();
      }
    }
  } finally {
    // what was asked for before a fault
    for (const chunk of Object.values(loading)) {
      chunk.then(
        ({ release }) => release(),
        () => {},
      );
    }
  }
}

/** The chunks of an array that a batch needs, in the order in which `gather` asks for them. */
export function chunksOf(
  array: ChunkedArray,
  windows: readonly Window[],
  jobs: readonly Pick<GatherJob, "source">[],
): number[][] {
  return planReads(array, windows, jobs).reads.map(({ coords }) => coords);
}

function planReads<J extends Pick<GatherJob, "source">>(
  array: ChunkedArray,
  windows: readonly Window[],
  jobs: readonly J[],
) {
  const rank = array.shape.length;
  const [latAxis, lonAxis] = [rank - 2, rank - 1];
  const times = splitByChunk(windows[0].time, array.chunkShape[0]);
  const lats = windows.map((w) => splitByChunk(w.lat, array.chunkShape[latAxis]));
  const lons = windows.map((w) => splitByChunk(w.lon, array.chunkShape[lonAxis]));
  const groups = groupJobs(array, jobs);

  const reads: Read<J>[] = [];
  for (const [tc, time] of times) {
    for (const group of groups) {
      for (const yc of union(lats)) {
        for (const xc of union(lons)) {
          if (!windows.some((_, b) => lats[b].has(yc) && lons[b].has(xc))) continue;
          reads.push({ coords: [tc, ...group.lead, yc, xc], time, jobs: group.jobs, yc, xc });
        }
      }
    }
  }
  return { reads, lats, lons };
}

function fill(
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

/** Jobs that lie in the same chunks of the axes between time and latitude. */
function groupJobs<J extends Pick<GatherJob, "source">>(
  array: ChunkedArray,
  jobs: readonly J[],
): { lead: number[]; jobs: J[] }[] {
  const groups = new Map<string, { lead: number[]; jobs: J[] }>();
  for (const job of jobs) {
    const index = job.source.surface ? [job.source.fieldIndex] : [job.source.fieldIndex, job.source.levelIndex];
    const lead = index.map((i, axis) => Math.floor(i / array.chunkShape[axis + 1]));
    const group = groups.get(lead.join()) ?? { lead, jobs: [] };
    group.jobs.push(job);
    groups.set(lead.join(), group);
  }
  return [...groups.values()];
}

/** Indices of a window by the chunk they lie in. */
function splitByChunk(indices: Int32Array, chunkSize: number): Map<number, Points> {
  const lists = new Map<number, number[]>();
  for (const [i, index] of indices.entries()) {
    const c = Math.floor(index / chunkSize);
    const list = lists.get(c);
    if (list) list.push(i);
    else lists.set(c, [i]);
  }
  return new Map(
    [...lists].map(([c, list]) => {
      const window = Int32Array.from(list);
      return [
        c,
        { window, chunk: window.map((i) => indices[i] - c * chunkSize), store: window.map((i) => indices[i]) },
      ];
    }),
  );
}

const union = (maps: readonly Map<number, Points>[]) =>
  [...new Set(maps.flatMap((map) => [...map.keys()]))].sort((a, b) => a - b);
