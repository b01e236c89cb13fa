// The native engine for long: node bench/soak.mjs steps CONFIG COUNT | eager COUNT | processes COUNT
// `steps`: compiled steps on two models in turn (two graphs); `eager`: steps operation by operation on the tiny network;
// `processes`: starts that end by themselves or are left in the middle of a step. Needs a build; prints one JSON line.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs-core";

const [what, ...given] = process.argv.slice(2);
const MIB = 2 ** 20;
const dist = (path) => import(new URL(`../dist/${path}`, import.meta.url));

/** Steps on random batches of a configuration. `after(n)` is called behind each. */
async function steps(configs, count, after = () => {}) {
  const { openEngine } = await dist("engine/index.js");
  const { compiler } = await dist("engine/native.js");
  const { randomBatch } = await dist("training/bench.js");
  const { toTensors, disposeBatch } = await dist("training/batch.js");
  const { initParameters } = await dist("model/index.js");
  const { disposeState, initState, stepModel, trainStep } = await dist("training/step.js");
  const { collectGarbage } = await dist("training/garbage.js").catch(() => ({}));
  const engine = await openEngine("native");
  const runs = configs.map((config) => {
    const model = stepModel(config);
    const params = [...initParameters(model.spec, 1)].map(([name, { shape, data }]) => [name, tf.tensor(data, shape)]);
    return {
      model,
      batch: toTensors(randomBatch(config, model)),
      state: initState(Object.fromEntries(params), config),
    };
  });
  const rss = [];
  let loss = Number.NaN;
  const began = performance.now();
  for (let n = 1; n <= count; n++) {
    const run = runs[n % runs.length];
    const rates = { learningRate: 1e-4, dropoutSeeds: [[1, n]], step: n };
    const done = await trainStep(run.model, run.state, [run.batch], rates);
    run.state = done.state;
    loss = done.result.total;
    if (!Number.isFinite(loss)) throw new Error(`step ${n}: loss ${loss}`);
    if (n % Math.max(1, Math.floor(count / 10)) === 0) rss.push(Math.round(process.memoryUsage().rss / MIB));
    if (n % 50 === 0) collectGarbage?.();
    after(n);
  }
  const seconds = (performance.now() - began) / 1000;
  const live = [tf.memory().numTensors, compiler()?.context.size ?? null];
  for (const { state, batch } of runs) {
    disposeState(state);
    disposeBatch(batch);
  }
  return { engine: engine.description, steps: count, seconds: Math.round(seconds), rssMiB: rss, live, loss };
}

async function configOf(path) {
  const { resolveConfig } = await dist("config/resolve.js");
  return resolveConfig(path ? { file: path } : { preset: "storm", set: TINY }).config;
}

const TINY = {
  fields: [["mean_sea_level_pressure", [1, 24, [], 0], [0], [4, 3, 3], [3, 6, 6], [0.5, 0.9, 0.4, 0.3]]],
  fields_prediction: [["mean_sea_level_pressure", 1]],
  batch_size: 2,
  encoder_num_layers: 1,
  decoder_num_layers: 1,
  encoder_num_heads: 2,
  decoder_num_heads: 2,
  net_tail_num_nets: 2,
};

/** A child that trains `n` steps; half of them are left in the middle of a step, which must end with their code. */
function child(leave) {
  return new Promise((resolve) => {
    const started = spawn(process.execPath, [fileURLToPath(import.meta.url), "child", leave ? "leave" : "end"], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let errors = "";
    started.stderr.on("data", (text) => {
      errors += text;
    });
    started.on("close", (code, signal) =>
      resolve({ ok: signal === null && code === (leave ? 7 : 0), code, signal, errors }),
    );
  });
}

if (what === "steps") {
  const [path, count] = given;
  const one = await configOf(path);
  console.log(JSON.stringify(await steps([one, { ...one, losses: ["mse"] }], Number(count))));
} else if (what === "eager") {
  process.env.ATMOREP_COMPILE = "0";
  console.log(JSON.stringify(await steps([await configOf()], Number(given[0]))));
} else if (what === "processes") {
  const failed = [];
  const count = Number(given[0]);
  for (let i = 0; i < count; i++) {
    const ended = await child(i % 2 === 1);
    if (!ended.ok) failed.push(ended);
  }
  console.log(JSON.stringify({ processes: count, failed }));
  if (failed.length > 0) process.exitCode = 1;
} else if (what === "child") {
  const leave = given[0] === "leave";
  await steps([await configOf()], leave ? 1000 : 3, (n) => {
    if (leave && n === 2) setTimeout(() => process.exit(7), 5);
  });
} else {
  console.error(
    readFileSync(fileURLToPath(import.meta.url), "utf8")
      .split("\n", 1)[0]
      .slice(3),
  );
  process.exitCode = 2;
}
