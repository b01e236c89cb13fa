/** Timing of batch preparation. */
import { loadSamples } from "../batches/loader.js";
import { maskingOf } from "../batches/ready.js";
import { parseFields } from "../config/fields.js";
import type { RunConfig } from "../config/types.js";
import { BufferPool } from "../data/pool.js";
import { drawEpoch } from "../data/sampling.js";
import { openStore, type Store } from "../data/store.js";
import type { Draw } from "../data/types.js";
import { type ChunkedArray, product } from "../data/zarr/array.js";
import { type BatchPlace, createMaskStreams, maskInPlace } from "../masking/index.js";
import { median } from "./median.js";

export interface PrepareRequest {
  config: RunConfig;
  storeLocation: string;
  /** place of a normalisation beside the store */
  statistics?: string | null;
  /** numbers of worker threads to try; 0 is this thread */
  workers: readonly number[];
  /** measured batches */
  batches?: number;
  /**
   * batches before the first measured one, which fill the cache of chunks; with workers ten times as many for each of
   * them, since every thread compiles the program anew while it makes its first hundred batches
   */
  warmup?: number;
  /** few chunks are kept, and batches that follow each other are far apart in time: as in a store larger than the cache */
  cold?: boolean;
  /** also times batches with their masks, which workers make under `mask_streams: batch` */
  masks?: boolean;
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
  /** processor time a batch, of all threads of the process, the mean over the measured batches */
  processorSeconds: number;
  /** chunks decoded a batch, the mean from the first batch on */
  chunksDecoded: number;
  /** by the median */
  samplesPerSecond: number;
  megabytesPerSecond: number;
}

/**
 * Times batch preparation at full speed, as training prepares: every batch is given back as soon as it comes.
 * @throws AtmorepError as `openStore`, `drawEpoch` and `readCube`
 */
export async function benchPrepare(request: PrepareRequest): Promise<PrepareResult[]> {
  const { storeLocation, statistics, workers, batches = 24, warmup = 16, masks = false, cold = false } = request;
  const B = request.config.batch_size;
  const warmups = workers.map((count) => warmup * (1 + 10 * count));
  const total = (Math.max(...warmups) + batches) * B;
  const config = { ...request.config, num_samples_per_epoch: total, samples_per_time: total };
  const store = await openStore(storeLocation);
  const drawn = drawEpoch({ config, store, split: "train", epoch: 0 });
  const draws = cold ? farApart(drawn) : drawn;
  const cacheBytes = cold ? 2 * bytesOfBatch(store, config) : undefined;
  await store.close();

  const fields = parseFields(config);
  const place = (batch: number): BatchPlace => ({ split: "train", epoch: 0, batch });
  const results: PrepareResult[] = [];
  for (const [w, count] of workers.entries()) {
    const warm = warmups[w];
    const own = draws.slice(0, warm + batches);
    for (const masking of masks ? [false, true] : [false]) {
      const group = Math.max(1, count * 2);
      const times: number[] = [];
      let megabytes = 0;
      let done = 0;
      let last = performance.now();
      const start = last;
      let coldSeconds = 0;
      let processor = process.cpuUsage();
      const streams = createMaskStreams(config, fields);
      const store = await openStore(storeLocation, { cacheBytes, statistics });
      const pool = new BufferPool(store.cache);
      const ofBatch = (n: number) => (masking ? maskingOf(streams, place(n), config.BERT_strategy) : null);
      for await (const loaded of loadSamples({ store, config, draws: own, workers: count, masking: ofBatch }, pool)) {
        const { batch } = loaded;
        if (masking) {
          const masked = loaded.masked ?? maskInPlace(batch, fields, config, streams.of(place(done)), { pool });
          pool.give(...masked.fields.map(({ target }) => target));
        }
        done += 1;
        megabytes = batch.fields.reduce((sum, field) => sum + field.tokens.byteLength, 0) / 1e6;
        pool.give(...batch.fields.map((field) => field.tokens));
        if (done === 1) coldSeconds = (performance.now() - start) / 1000;
        if (done < warm) continue;
        if (done === warm) {
          last = performance.now();
          processor = process.cpuUsage();
        }
        if (done > warm && (done - warm) % group === 0) {
          const now = performance.now();
          times.push((now - last) / 1000 / group);
          last = now;
        }
      }
      const { user, system } = process.cpuUsage(processor);
      const { loads } = store.cache;
      pool.close();
      await store.close();
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
        processorSeconds: (user + system) / 1e6 / (done - warm),
        chunksDecoded: loads / done,
        samplesPerSecond: B / medianSeconds,
        megabytesPerSecond: megabytes / medianSeconds,
      });
    }
  }
  return results;
}

/** The draws in an order in which each is far in time from the two before it. */
function farApart(draws: readonly Draw[]): Draw[] {
  const rest = [...draws];
  const order: Draw[] = [];
  while (rest.length > 0) {
    const last = order.slice(-2).map(({ timeIndex }) => timeIndex);
    const distances = rest.map(({ timeIndex }) => Math.min(...last.map((other) => Math.abs(timeIndex - other))));
    order.push(...rest.splice(distances.indexOf(Math.max(...distances)), 1));
  }
  return order;
}

/** Decoded bytes of the chunks of all levels that a batch of places all over the store reads. */
function bytesOfBatch({ arrays: { data, data_sfc } }: Store, { fields, time_sampling }: RunConfig): number {
  const times = Math.max(...fields.map((field) => field[3][0] * field[4][0])) * time_sampling;
  const bytes = (array: ChunkedArray | null) => {
    if (!array) return 0;
    const [, ...rest] = array.shape.map((n, axis) => Math.ceil(n / array.chunkShape[axis]));
    const chunks = (Math.ceil(times / array.chunkShape[0]) + 1) * product(rest);
    return chunks * product(array.chunkShape) * array.itemBytes;
  };
  return Math.max(bytes(data), bytes(data_sfc));
}
