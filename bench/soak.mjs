// The native engine for long: node bench/soak.mjs steps CONFIG COUNT | eager COUNT | processes COUNT | workers COUNT
// `steps`: compiled steps on two models in turn (two graphs); `eager`: steps operation by operation on the tiny network;
// `processes`: starts that end by themselves or are left in the middle of a step; `workers`: the same in threads of one
// process, two at a time. Needs a build; prints one JSON line with the resident memory at intervals. SIGTERM ends a
// run early and tells how far it came; a process may also be stopped and continued (SIGSTOP, SIGCONT).
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import * as tf from "@tensorflow/tfjs-core";

const [what, ...given] = process.argv.slice(2);
const MIB = 2 ** 20;
const dist = (path) => import(new URL(`../dist/${path}`, import.meta.url));

let ended = false;
process.once("SIGTERM", () => {
  ended = true;
});

/** Steps on random batches of a configuration. `after(n)` is called behind each. */
async function steps(configs, count, after = () => {}) {
  const { openEngine } = await dist("engine/index.js");
  const { openedTensorflow } = await dist("engine/native.js");
  const { randomBatch } = await dist("bench/step.js");
  const { toTensors, disposeBatch } = await dist("batches/tensors.js");
  const { initParameters } = await dist("model/index.js");
  const { disposeState, initState, stepModel, trainStep } = await dist("step/step.js");
  const { collectGarbage } = await dist("engine/garbage.js");
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
  let done = 0;
  const used = process.cpuUsage();
  for (let n = 1; n <= count && !ended; n++) {
    const run = runs[n % runs.length];
    const rates = { learningRate: 1e-4, dropoutSeeds: [[1, n]], step: n };
    const { state, result } = await trainStep({ engine, model: run.model }, run.state, [run.batch], rates);
    run.state = state;
    loss = result.total;
    done = n;
    if (!Number.isFinite(loss)) throw new Error(`step ${n}: loss ${loss}`);
    if (n % Math.max(1, Math.floor(count / 20)) === 0) rss.push(residentMiB());
    if (n % 50 === 0) {
      collectGarbage();
      await setImmediate(); // small reads never reach the event loop, which hears signals
    }
    after(n);
  }
  const { user, system } = process.cpuUsage(used);
  const live = [tf.memory().numTensors, openedTensorflow()?.context.size ?? null];
  for (const { state, batch } of runs) {
    disposeState(state);
    disposeBatch(batch);
  }
  const processorSeconds = Math.round((user + system) / 1e6);
  return { engine: engine.description, steps: done, of: count, processorSeconds, rssMiB: rss, live, loss };
}

const residentMiB = () => Math.round(process.memoryUsage().rss / MIB);

async function configOf(path) {
  const { resolveConfig } = await dist("config/resolve.js");
  return resolveConfig(path ? { file: path } : { preset: "storm", set: TINY }).config;
}

const TINY = {
  n_size: [12, 22.5, 45],
  idx_time_mask: null,
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

/** A thread that trains three steps. */
function thread() {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { argv: ["child", "end"] });
    worker.on("error", reject);
    worker.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`a thread ended with ${code}`))));
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
  let started = 0;
  for (; started < count && !ended; started++) {
    const outcome = await child(started % 2 === 1);
    if (!outcome.ok) failed.push(outcome);
  }
  console.log(JSON.stringify({ processes: started, of: count, failed }));
  if (failed.length > 0) process.exitCode = 1;
} else if (what === "workers") {
  const count = Number(given[0]);
  const rss = [];
  for (let i = 2; i <= count && !ended; i += 2) {
    await Promise.all([thread(), thread()]);
    rss.push(residentMiB());
  }
  console.log(JSON.stringify({ workers: 2 * rss.length, of: count, rssMiB: rss }));
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
