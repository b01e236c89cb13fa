// Time of forward + backward of one network on the WASM engine, with a simple loss and made-up numbers.
// Usage: npm run build && node bench/step.mjs <config.json> [steps] [batch]
import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import { openEngine } from "../dist/engine/index.js";
import { countParameters, forward, initParameters, modelSpec, parameterTable, toTensors } from "../dist/model/index.js";
import { defaultRng } from "../dist/random/index.js";

const [path, steps = "10", batch] = process.argv.slice(2);
const config = JSON.parse(readFileSync(path, "utf8"));
const B = Number(batch ?? config.batch_size);
await openEngine("wasm");
const spec = modelSpec(config);
const params = toTensors(initParameters(spec, 1));
const names = parameterTable(spec)
  .filter(({ trainable }) => trainable)
  .map(({ name }) => name);
const normal = (seed, shape) =>
  tf.tensor(Float32Array.from(defaultRng(seed).standardNormal(tf.util.sizeFromShape(shape))), shape);
const inputs = {
  fields: spec.fields.map(({ L, N, D }, f) => ({
    tokens: normal(f, [B, L, N, D]),
    infos: normal(f + 50, [B, L, N, 8]),
  })),
  // a quarter of the tokens, as BERT masking with a total rate of 0.5 hides on average
  rows: spec.predicted.map((f) => {
    const { L, N } = spec.fields[f];
    return tf.tensor1d(Int32Array.from({ length: Math.floor((B * L * N) / 4) }, (_, i) => 4 * i));
  }),
};

function step(number) {
  const loss = (...values) => {
    const given = Object.fromEntries(names.map((name, i) => [name, values[i]]));
    const predictions = forward(given, spec, inputs, { dropoutSeed: [1, number] });
    return tf.addN(predictions.map(({ ens, std }) => tf.add(tf.mean(tf.square(ens)), tf.mean(std))));
  };
  tf.dispose(tf.valueAndGrads(loss)(names.map((name) => params[name])));
}

function times(run) {
  const wall = [];
  const cpu = [];
  for (let i = 0; i < Number(steps); i++) {
    const [start, used] = [performance.now(), process.cpuUsage()];
    run(i);
    wall.push(performance.now() - start);
    const { user, system } = process.cpuUsage(used);
    cpu.push((user + system) / 1000);
  }
  const show = (list) => {
    const sorted = list.toSorted((a, b) => a - b);
    return `${sorted[0].toFixed(1)} / ${sorted[sorted.length >> 1].toFixed(1)}`;
  };
  return `${show(wall)} ms (cpu ${show(cpu)})`;
}

console.log(`${path}: ${countParameters(spec)} parameters, batch ${B}; minimum / median of ${steps}`);
console.log(`forward + backward  ${times(step)}`);
console.log(`forward             ${times((i) => tf.dispose(forward(params, spec, inputs, { dropoutSeed: [1, i] })))}`);
const { numTensors, numBytes } = tf.memory();
console.log(
  `${numTensors} tensors, ${(numBytes / 1e6).toFixed(1)} MB; process ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB`,
);
