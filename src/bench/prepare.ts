/** Timing of batch preparation. */
import { loadSamples } from "../batches/loader.js";
import { maskingOf } from "../batches/ready.js";
import { parseFields } from "../config/fields.js";
import type { RunConfig } from "../config/types.js";
import { BufferPool } from "../data/pool.js";
import { drawEpoch } from "../data/sampling.js";
import { openStore } from "../data/store.js";
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
  /** batches before the first measured one, which fill the cache of chunks */
  warmup?: number;
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
  /** by the median */
  samplesPerSecond: number;
  megabytesPerSecond: number;
}

/**
 * Times batch preparation at full speed, as training prepares: every batch is given back as soon as it comes.
 * @throws AtmorepError as `openStore`, `drawEpoch` and `readCube`
 */
export async function benchPrepare(request: PrepareRequest): Promise<PrepareResult[]> {
  const { storeLocation, statistics, workers, batches = 24, warmup = 16, masks = false } = request;
  const B = request.config.batch_size;
  const total = (warmup + batches) * B;
  const config = { ...request.config, num_samples_per_epoch: total, samples_per_time: total };
  const store = await openStore(storeLocation);
  const draws = drawEpoch({ config, store, split: "train", epoch: 0 });
  await store.close();

  const fields = parseFields(config);
  const place = (batch: number): BatchPlace => ({ split: "train", epoch: 0, batch });
  const results: PrepareResult[] = [];
  for (const count of workers) {
    for (const masking of masks ? [false, true] : [false]) {
      const group = Math.max(1, count * 2);
      const times: number[] = [];
      let megabytes = 0;
      let done = 0;
      let last = performance.now();
      const start = last;
      let coldSeconds = 0;
      const pool = new BufferPool();
      const streams = createMaskStreams(config, fields);
      const store = await openStore(storeLocation, { statistics });
      const ofBatch = (n: number) => (masking ? maskingOf(streams, place(n), config.BERT_strategy) : null);
      for await (const loaded of loadSamples({ store, config, draws, workers: count, masking: ofBatch }, pool)) {
        const { batch } = loaded;
        if (masking) {
          const masked = loaded.masked ?? maskInPlace(batch, fields, config, streams.of(place(done)), { pool });
          pool.give(...masked.fields.map(({ target }) => target));
        }
        done += 1;
        megabytes = batch.fields.reduce((sum, field) => sum + field.tokens.byteLength, 0) / 1e6;
        pool.give(...batch.fields.map((field) => field.tokens));
        if (done === 1) coldSeconds = (performance.now() - start) / 1000;
        if (done < warmup) continue;
        if (done === warmup) last = performance.now();
        else if ((done - warmup) % group === 0) {
          const now = performance.now();
          times.push((now - last) / 1000 / group);
          last = now;
        }
      }
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
        samplesPerSecond: B / medianSeconds,
        megabytesPerSecond: megabytes / medianSeconds,
      });
    }
  }
  return results;
}
