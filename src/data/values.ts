/** Raw values of a window, for baselines, checks and displays; `readCube` is the fast way to a batch. */

import type { LevelSource } from "./fields.js";
import type { Store } from "./storeTypes.js";
import type { Window } from "./types.js";
import type { Chunk, ChunkedArray } from "./zarr/array.js";

/**
 * Values of one level of a field as they stand in the store.
 * @returns [time, lat, lon], NaN where missing
 * @throws AtmorepError (input) for faults of the store
 */
export async function readValues(
  store: Store,
  source: LevelSource,
  window: Window,
): Promise<{ values: Float32Array; shape: [number, number, number] }> {
  const array = (source.surface ? store.arrays.data_sfc : store.arrays.data) as ChunkedArray;
  const rank = array.shape.length;
  const lead = source.surface ? [source.fieldIndex] : [source.fieldIndex, source.levelIndex];
  const chunkLead = lead.map((index, axis) => Math.floor(index / array.chunkShape[axis + 1]));
  const within = lead.reduce(
    (sum, index, axis) => sum * array.chunkShape[axis + 1] + (index % array.chunkShape[axis + 1]),
    0,
  );
  const planes = lead.reduce((n, _, axis) => n * array.chunkShape[axis + 1], 1);
  const [ct, cy, cx] = [array.chunkShape[0], array.chunkShape[rank - 2], array.chunkShape[rank - 1]];
  const shape: [number, number, number] = [window.time.length, window.lat.length, window.lon.length];
  const values = new Float32Array(shape[0] * shape[1] * shape[2]);
  let o = 0;
  for (const t of window.time) {
    for (const y of window.lat) {
      let chunk: Chunk | null = null;
      let column = -1;
      const row = (((t % ct) * planes + within) * cy + (y % cy)) * cx;
      for (const x of window.lon) {
        const xc = Math.floor(x / cx);
        if (xc !== column) {
          chunk?.release();
          chunk = await array.chunk([Math.floor(t / ct), ...chunkLead, Math.floor(y / cy), xc]);
          column = xc;
        }
        values[o++] = chunk!.values[row + (x % cx)];
      }
      chunk?.release();
    }
  }
  return { values, shape };
}

/** The window of the whole store, or of the time indices given. */
export function wholeWindow(store: Pick<Store, "times" | "lats" | "lons">, time?: Int32Array): Window {
  const range = (n: number) => Int32Array.from({ length: n }, (_, i) => i);
  return { time: time ?? range(store.times.length), lat: range(store.lats.length), lon: range(store.lons.length) };
}
