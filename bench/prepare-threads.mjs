/**
 * Processor time of each thread that makes batches: what more workers could gain, measured also where others disturb the
 * clock. Linux only.
 *
 *   node bench/prepare-threads.mjs CONFIG STORE [--workers 0,2] [--cache 512] [--streams batch|run] [--batches 80]
 *
 * Batches are masked, and given back as soon as they come; `--cache` is the bound of decoded chunks in MiB. Prints for
 * each number of workers: milliseconds to the first batch, of the clock and of all processors a batch after the first
 * hundred, in which every thread compiles the program anew, and the processor time a batch of every thread that had some.
 */
import { readdirSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { loadSamples } from "../dist/batches/loader.js";
import { maskingOf } from "../dist/batches/ready.js";
import { parseFields } from "../dist/config/fields.js";
import { resolveConfig } from "../dist/config/resolve.js";
import { BufferPool } from "../dist/data/pool.js";
import { drawEpoch } from "../dist/data/sampling.js";
import { openStore } from "../dist/data/store.js";
import { createMaskStreams, maskInPlace } from "../dist/masking/index.js";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    workers: { type: "string", default: "0,2" },
    cache: { type: "string", default: "512" },
    streams: { type: "string", default: "batch" },
    batches: { type: "string", default: "80" },
  },
});
const [file, location] = positionals;
if (!location) throw new Error("usage: node bench/prepare-threads.mjs CONFIG STORE [--workers 0,2] ...");
const WARM = 100;
const batches = Number(options.batches);

/** Milliseconds on a processor by thread. */
function threadTimes() {
  const times = new Map();
  for (const thread of readdirSync("/proc/self/task")) {
    try {
      const [nanoseconds] = readFileSync(`/proc/self/task/${thread}/schedstat`, "utf8").split(" ");
      times.set(thread, Number(nanoseconds) / 1e6);
    } catch {
      // it has just ended
    }
  }
  return times;
}

for (const workers of options.workers.split(",").map(Number)) {
  const { config: read } = resolveConfig({ file, set: [`mask_streams=${options.streams}`, "rng_seed=7"] });
  const samples = (batches + WARM) * read.batch_size;
  const config = { ...read, num_samples_per_epoch: samples, samples_per_time: samples };
  const store = await openStore(location, { cacheBytes: Number(options.cache) * 2 ** 20 });
  const draws = drawEpoch({ config, store, split: "train", epoch: 0 });
  const fields = parseFields(config);
  const masks = createMaskStreams(config, fields);
  const place = (batch) => ({ split: "train", epoch: 0, batch });
  const masking = (n) => maskingOf(masks, place(n), config.BERT_strategy);
  const pool = new BufferPool(store.cache);
  const start = performance.now();
  let [done, first, wall, before] = [0, 0, 0, new Map()];
  for await (const { batch, masked } of loadSamples({ store, config, draws, workers, masking }, pool)) {
    const made = masked ?? maskInPlace(batch, fields, config, masks.of(place(done)), { pool });
    pool.give(...made.fields.flatMap(({ source, target }) => [source, target]));
    done += 1;
    if (done === 1) first = performance.now() - start;
    if (done === WARM) [wall, before] = [performance.now(), threadTimes()];
    if (done < draws.length) continue;
    const count = done - WARM;
    const all = [...threadTimes()].map(([thread, time]) => (time - (before.get(thread) ?? 0)) / count);
    const told = all.filter((time) => time >= 0.5).sort((a, b) => b - a);
    console.log(
      `${workers} workers: first ${first.toFixed(0)} ms; a batch ${((performance.now() - wall) / count).toFixed(1)} ms, ` +
        `processors ${all.reduce((a, b) => a + b, 0).toFixed(1)} ms; ` +
        `threads ${told.map((time) => time.toFixed(1)).join(" ")}; ${store.cache.loads} chunks decoded`,
    );
  }
  await store.close();
}
