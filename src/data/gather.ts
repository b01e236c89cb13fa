/**
 * Which chunks a batch needs, and what each of them fills.
 * A batch has one time range and B places, so each chunk is looked at once for all samples.
 */
import { fill, type GatherJob } from "./fill.js";
import { kernelOf } from "./fillKernel.js";
import type { Points } from "./fillPlan.js";
import type { Store } from "./storeTypes.js";
import type { Window } from "./types.js";
import { type Chunk, type ChunkedArray, product } from "./zarr/array.js";

export type { GatherJob } from "./fill.js";

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
  const kernel = kernelOf(store.cache);
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
            if (lat && lon) fill(store, array, values, job, b, read.time, lat, lon, skip, kernel);
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
