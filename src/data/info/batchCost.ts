/** What reading a batch costs: bytes of the chunks that it touches beside the bytes that it takes from them. */
import type { CubeConfig } from "../cube.js";
import { resolveFields } from "../fields.js";
import type { Store } from "../storeTypes.js";
import type { Draw } from "../types.js";
import { windowOf } from "../window.js";

export interface BatchCost {
  /** values of the chunks that are decoded, by array, as float32 */
  decodedBytes: { data: number; data_sfc: number };
  /** values that come into the batch, as float32 */
  usedBytes: number;
}

const FLOAT = 4;

/** The cost of one batch with nothing in the cache. @throws AtmorepError (config) if the store lacks what is asked for */
export function batchCost(store: Store, config: CubeConfig, draw: Draw): BatchCost {
  const fields = resolveFields(config, store);
  const windows = draw.places.map((place) => windowOf(store, config, draw.timeIndex, place));
  const cost: BatchCost = { decodedBytes: { data: 0, data_sfc: 0 }, usedBytes: 0 };
  for (const name of ["data", "data_sfc"] as const) {
    const array = store.arrays[name];
    if (!array) continue;
    const { chunkShape: c } = array;
    const rank = c.length;
    const touched = new Set<string>();
    for (const source of fields.flatMap(({ sources }) => sources)) {
      if (source.surface !== (name === "data_sfc")) continue;
      const lead = [source.fieldIndex, source.levelIndex].slice(0, rank - 3);
      const which = lead.map((index, axis) => Math.floor(index / c[axis + 1])).join();
      for (const { time, lat, lon } of windows) {
        cost.usedBytes += time.length * lat.length * lon.length * FLOAT;
        const [ts, ys, xs] = [chunks(time, c[0]), chunks(lat, c[rank - 2]), chunks(lon, c[rank - 1])];
        for (const t of ts) for (const y of ys) for (const x of xs) touched.add(`${t},${which},${y},${x}`);
      }
    }
    cost.decodedBytes[name] = touched.size * c.reduce((a, b) => a * b, FLOAT);
  }
  return cost;
}

const chunks = (indices: Int32Array, size: number): Set<number> =>
  new Set(Array.from(indices, (i) => Math.floor(i / size)));
