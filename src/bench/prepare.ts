/** Timing of batch preparation and of reading. */

import type { CubeConfig } from "../data/cube.js";
import { loadCubes } from "../data/loader.js";
import { drawEpoch, type SamplingConfig } from "../data/sampling.js";
import { openStore } from "../data/store.js";
import type { CubeBatch } from "../data/types.js";
import { product } from "../data/zarr/array.js";

export interface PrepareRequest {
  config: CubeConfig & SamplingConfig;
  storeLocation: string;
  /** numbers of worker threads to try; 0 is this thread */
  workers: readonly number[];
  /** measured batches */
  batches?: number;
  /** batches before the first measured one, which fill the cache of chunks */
  warmup?: number;
  /** the masking of a batch, in this thread; without it only plain batches are timed */
  mask?: (batch: CubeBatch) => unknown;
}

export interface PrepareResult {
  workers: number;
  masking: boolean;
  samplesPerBatch: number;
  /** of tokens, before masking */
  megabytesPerBatch: number;
  batches: number;
  /** seconds from the start, opening the store included, to the first batch */
  coldSeconds: number;
  /** seconds a batch; with workers of groups of batches that are read ahead together */
  medianSeconds: number;
  minSeconds: number;
  /** by the median */
  samplesPerSecond: number;
  megabytesPerSecond: number;
}

/**
 * Times batch preparation at full speed: every batch is thrown away as soon as it comes.
 * @throws AtmorepError as `openStore`, `drawEpoch` and `readCube`
 */
export async function benchPrepare(request: PrepareRequest): Promise<PrepareResult[]> {
  const { storeLocation, workers, batches = 24, warmup = 16, mask } = request;
  const B = request.config.batch_size;
  const total = (warmup + batches) * B;
  const config = { ...request.config, num_samples_per_epoch: total, samples_per_time: total };
  const store = await openStore(storeLocation);
  const draws = drawEpoch({ config, store, split: "train", epoch: 0 });
  await store.close();

  const results: PrepareResult[] = [];
  for (const count of workers) {
    for (const masking of mask ? [false, true] : [false]) {
      const group = Math.max(1, count * 2);
      const times: number[] = [];
      let megabytes = 0;
      let done = 0;
      let last = performance.now();
      const start = last;
      let coldSeconds = 0;
      for await (const batch of loadCubes({ storeLocation, config, draws, workers: count })) {
        if (masking) mask?.(batch);
        done += 1;
        megabytes = batch.fields.reduce((sum, field) => sum + field.tokens.byteLength, 0) / 1e6;
        if (done === 1) coldSeconds = (performance.now() - start) / 1000;
        if (done < warmup) continue;
        if (done === warmup) last = performance.now();
        else if ((done - warmup) % group === 0) {
          const now = performance.now();
          times.push((now - last) / 1000 / group);
          last = now;
        }
      }
      const medianSeconds = median(times);
      results.push({
        workers: count,
        masking,
        samplesPerBatch: B,
        megabytesPerBatch: megabytes,
        batches: times.length * group,
        coldSeconds,
        medianSeconds,
        minSeconds: Math.min(...times),
        samplesPerSecond: B / medianSeconds,
        megabytesPerSecond: megabytes / medianSeconds,
      });
    }
  }
  return results;
}

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
        await array.chunk([c, ...rest]);
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

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
