// The train step and nothing else: time, processor time, share of the matrix-product peak, memory, event loop.
//
//   npm run build && node bench/step.mjs CONFIG [--engine native|wasm] [--steps 10] [--set KEY=JSON ...]
//
// Prints one line of JSON. The first two steps do not count. The peak is that of a 2048-cube, before and after the steps.
import { readFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { parseArgs } from "node:util";
import * as tf from "@tensorflow/tfjs-core";
import { disposeBatch, toTensors } from "../dist/batches/tensors.js";
import { randomBatch } from "../dist/bench/step.js";
import { callOnce } from "../dist/engine/callOnce.js";
import { openEngine } from "../dist/engine/index.js";
import { countParameters, initParameters } from "../dist/model/index.js";
import { disposeState, initState, stepModel, trainStep } from "../dist/step/step.js";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    engine: { type: "string", default: "native" },
    steps: { type: "string", default: "10" },
    set: { type: "string", multiple: true, default: [] },
    peak: { type: "boolean", default: false },
  },
});
const config = JSON.parse(readFileSync(positionals[0], "utf8"));
for (const entry of options.set) {
  const at = entry.indexOf("=");
  config[entry.slice(0, at)] = JSON.parse(entry.slice(at + 1));
}
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

const engine = await openEngine(options.engine);
const model = stepModel(config);
const plain = randomBatch(config, model);
const params = [...initParameters(model.spec, 1)].map(([name, { shape, data }]) => [name, tf.tensor(data, shape)]);
let state = initState(Object.fromEntries(params), config);
const batch = toTensors(plain);
const peaks = [];
if (options.peak) peaks.push(await peak());

const [wall, processor] = [[], []];
const delay = monitorEventLoopDelay({ resolution: 1 });
let firstStep = 0;
let loss = Number.NaN;
for (let i = 0; i < Number(options.steps) + 2; i++) {
  if (i === 2) delay.enable();
  const [start, used] = [performance.now(), process.cpuUsage()];
  const done = await trainStep({ engine, model }, state, [batch], {
    learningRate: 1e-4,
    dropoutSeeds: [[1, i]],
    step: i + 1,
  });
  state = done.state;
  loss = done.result.total;
  if (i === 0) firstStep = process.uptime();
  if (i < 2) continue;
  wall.push((performance.now() - start) / 1000);
  const { user, system } = process.cpuUsage(used);
  processor.push((user + system) / 1e6);
}
delay.disable();
const peakMiB = process.resourceUsage().maxRSS / 1024;
if (options.peak) peaks.push(await peak());
disposeState(state);
disposeBatch(batch);
const seconds = median(wall);
const flops = productFlops();
console.log(
  JSON.stringify({
    engine: engine.description,
    parameters: countParameters(model.spec),
    masked: plain.targets.map(({ M }) => M),
    min_s: Math.min(...wall),
    median_s: seconds,
    processor_s: median(processor),
    first_step_s: firstStep,
    longest_block_ms: delay.max / 1e6,
    peak_rss_mib: peakMiB,
    gflop: flops / 1e9,
    ...(options.peak && { peak_gflops: Math.max(...peaks) / 1e9, share: flops / seconds / Math.max(...peaks) }),
    loss,
  }),
);
process.exit();

/** Operations of the matrix products of one step of uncoupled dense fields, without those computed again. */
function productFlops() {
  const { spec } = model;
  const rows = (f) => plain.samples * spec.fields[f].L * spec.fields[f].N;
  let flops = 0;
  for (const [name, { shape }] of params) {
    const [kind, index] = name.split(".");
    if (shape.length !== 2 || kind === "embed_token_info") continue;
    const f = kind === "decoders" || kind === "tails" ? spec.predicted[Number(index)] : Number(index);
    const few = kind === "tails" || atTheEnd(name);
    flops += 6 * (few ? plain.targets[Number(index)].M : rows(f)) * shape[0] * shape[1];
  }
  const attention = (f, layers) => 12 * rows(f) * spec.fields[f].L * spec.fields[f].N * spec.fields[f].width * layers;
  for (const f of spec.fields.keys()) flops += attention(f, spec.encoder.layers);
  for (const f of spec.predicted) flops += attention(f, spec.decoder.layers);
  return flops;
}

/** True of weights that only the rows of hidden tokens meet: those after the last heads of a dense decoder. */
function atTheEnd(name) {
  const [kind, , , block] = name.split(".");
  const last = 2 * model.spec.decoder.layers - 1;
  return kind === "decoders" && (Number(block) === last || (Number(block) === last - 1 && name.includes("proj_out")));
}

/** Operations per second of the best of five times two products, side by side where the engine runs them so. */
async function peak() {
  const n = options.engine === "wasm" ? 512 : 2048;
  const a = tf.fill([n, n], 0.5);
  const b = tf.fill([n, n], 0.25);
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 6; i++) {
    const start = performance.now();
    const sums = await callOnce(engine, "peak", [a, b], ([a, b]) => [tf.matMul(a, b), tf.matMul(b, a)]);
    for (const sum of sums) await tf.slice(sum, [0, 0], [1, 1]).data();
    // the first call sets the products up
    if (i > 0) best = Math.min(best, (performance.now() - start) / 1000);
    tf.dispose(sums);
  }
  tf.dispose([a, b]);
  return (2 * 2 * n ** 3) / best;
}
