/** Timing of reading. */

import { openStore } from "../data/store.js";
import { product } from "../data/zarr/array.js";
import { median } from "./median.js";

export interface ReadResult {
  array: string;
  chunkShape: number[];
  chunks: number;
  /** of decoded values */
  megabytesPerChunk: number;
  medianSeconds: number;
  minSeconds: number;
  megabytesPerSecond: number;
}

/**
 * Times reading and decoding whole chunks of the data arrays, nothing cached by this program.
 * @param maxChunks chunks read of each array
 * @throws AtmorepError as `openStore`, and for damaged chunks
 */
export async function benchRead(storeLocation: string, maxChunks = 16): Promise<ReadResult[]> {
  const store = await openStore(storeLocation, { cacheBytes: 0 });
  try {
    const results: ReadResult[] = [];
    for (const array of [store.arrays.data, store.arrays.data_sfc]) {
      if (!array) continue;
      const count = Math.min(maxChunks, Math.ceil(array.shape[0] / array.chunkShape[0]));
      const rest = array.shape.slice(1).map(() => 0);
      const times: number[] = [];
      for (let c = 0; c < count; c++) {
        const start = performance.now();
        (await array.chunk([c, ...rest])).release();
        times.push((performance.now() - start) / 1000);
      }
      const megabytesPerChunk = (product(array.chunkShape) * 4) / 1e6;
      const medianSeconds = median(times);
      results.push({
        array: array.name,
        chunkShape: [...array.chunkShape],
        chunks: count,
        megabytesPerChunk,
        medianSeconds,
        minSeconds: Math.min(...times),
        megabytesPerSecond: megabytesPerChunk / medianSeconds,
      });
    }
    return results;
  } finally {
    await store.close();
  }
}
