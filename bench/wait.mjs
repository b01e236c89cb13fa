/**
 * What share of a training step is spent waiting for data?
 *
 *   node bench/wait.mjs CONFIG STORE [--engine native|wasm] [--workers 2] [--steps 12] [--json]
 *
 * Trains in a folder of its own and prints, step by step, milliseconds waited for the batch and milliseconds computed, and
 * at the end the share without the first step, which compiles. The store should be larger than the cache of chunks (512
 * MiB of decoded values), or all of it is in memory soon.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { resolveConfig } from "../dist/config/resolve.js";
import { train } from "../dist/training/train.js";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    engine: { type: "string", default: "native" },
    workers: { type: "string", default: "2" },
    steps: { type: "string", default: "12" },
    json: { type: "boolean", default: false },
  },
});
const [file, store] = positionals;
if (!store) throw new Error("usage: node bench/wait.mjs CONFIG STORE [--engine NAME] [--workers N] [--steps N]");
const steps = Number(options.steps);
const { config } = resolveConfig({
  file,
  data: resolve(store),
  set: [`num_loader_workers=${options.workers}`, "mask_streams=batch", "num_samples_validate=1", "years_val=[2021]"],
});
const perStep = config.batch_size * config.grad_accumulation;
const asked = { ...config, num_samples_per_epoch: steps * perStep, samples_per_time: steps * perStep };
const out = mkdtempSync(join(tmpdir(), "atmorep-wait-"));
const sums = { data: 0, compute: 0 };
let seen = 0;
try {
  for await (const event of train(asked, { engine: options.engine, out, maxSteps: steps })) {
    if (event.type !== "step") continue;
    const { data, compute } = event.milliseconds;
    if (!options.json)
      console.log(`step ${event.step}: waited ${data.toFixed(1)} ms, computed ${compute.toFixed(0)} ms`);
    if (event.step === 1) continue;
    seen += 1;
    sums.data += data;
    sums.compute += compute;
  }
} finally {
  rmSync(out, { recursive: true, force: true });
}
if (options.json) {
  const milliseconds = { data: sums.data / seen, compute: sums.compute / seen };
  console.log(JSON.stringify({ ...milliseconds, steps: seen, workers: options.workers, engine: options.engine }));
} else {
  const share = (100 * sums.data) / (sums.data + sums.compute);
  console.log(`${options.workers} workers, ${options.engine}: ${share.toFixed(2)} % of a step, without the first`);
}
