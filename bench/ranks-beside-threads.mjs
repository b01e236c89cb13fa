/**
 * The train step on 2 processes of one thread beside one process of 2 threads, in turn: samples a second, and processor seconds a
 * sample over all processes; medians. No data are read. `--zero` shares the optimiser's state; `rss` is the largest of a process.
 *   npm run build && node bench/ranks-beside-threads.mjs CONFIG [--steps 6] [--rounds 3] [--zero]
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    steps: { type: "string", default: "6" },
    rounds: { type: "string", default: "3" },
    zero: { type: "boolean", default: false },
    one: { type: "boolean", default: false },
  },
});
const steps = Number(options.steps);
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** One of the processes. */
async function work() {
  const [{ disposeBatch, toTensors }, { randomBatch }, { openCommunicator }, { openEngine }, model_, step_, tf] =
    await Promise.all([
      import("../dist/batches/tensors.js"),
      import("../dist/bench/step.js"),
      import("../dist/distributed/index.js"),
      import("../dist/engine/index.js"),
      import("../dist/model/index.js"),
      import("../dist/step/step.js"),
      import("@tensorflow/tfjs-core"),
    ]);
  const { ownState } = await import("../dist/training/divided.js");
  const communicator = await openCommunicator();
  const config = {
    reduction: "tree",
    ...JSON.parse(readFileSync(positionals[0], "utf8")),
    optimizer_zero: options.zero,
  };
  const engine = await openEngine("native");
  const model = step_.stepModel(config);
  const batch = toTensors(randomBatch(config, model));
  const params = [...model_.initParameters(model.spec, 1)].map(([name, { shape, data }]) => [
    name,
    tf.tensor(data, shape),
  ]);
  let state = ownState(step_.initState(Object.fromEntries(params), config), config, communicator);
  const times = [];
  let used;
  for (let k = -2; k < steps; k++) {
    if (k === 0) used = process.cpuUsage();
    const began = performance.now();
    const rates = { learningRate: 1e-4, dropoutSeeds: [[1, k + 2 + communicator.rank]], step: k + 3 };
    ({ state } = await step_.trainStep({ model, engine }, state, [batch], rates, communicator));
    if (k >= 0) times.push((performance.now() - began) / 1000);
  }
  const { user, system } = process.cpuUsage(used);
  const own = { seconds: (user + system) / 1e6 / steps, rss: process.resourceUsage().maxRSS / 1024 };
  const all = await communicator.gather(own);
  disposeBatch(batch);
  if (communicator.rank === 0)
    console.log(JSON.stringify({ step: median(times), samples: config.batch_size * communicator.size, all }));
  await communicator.close();
  process.exit();
}

function main() {
  const self = fileURLToPath(import.meta.url);
  const args = [self, ...process.argv.slice(2), "--one"];
  const start = (threads, launcher) => {
    const [program, ...rest] = [...launcher, process.execPath, ...args];
    const env = {
      ...process.env,
      ATMOREP_THREADS: threads,
      OMPI_ALLOW_RUN_AS_ROOT: "1",
      OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1",
    };
    return JSON.parse(
      execFileSync(program, rest, { env, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }).trim(),
    );
  };
  const mpirun = ["mpirun.openmpi", "--bind-to", "none", "--oversubscribe", "-n", "2"];
  const sides = { "1 x 2 threads": () => start("2", ["env"]), "2 x 1 thread": () => start("1", mpirun) };
  const found = Object.fromEntries(Object.keys(sides).map((name) => [name, []]));
  for (let round = 0; round < Number(options.rounds); round++)
    for (const [name, side] of Object.entries(sides)) found[name].push(side());
  for (const [name, list] of Object.entries(found)) {
    const speed = median(list.map(({ step, samples }) => samples / step));
    const used = median(list.map(({ samples, all }) => all.reduce((sum, { seconds }) => sum + seconds, 0) / samples));
    const rss = median(list.map(({ all }) => Math.max(...all.map((one) => one.rss))));
    console.log(
      `${name}: ${speed.toPrecision(3)} samples a second, ${used.toPrecision(3)} processor seconds a sample, rss ${rss.toFixed(0)} MiB`,
    );
  }
}

if (options.one) await work();
else main();
