/** The commands that write, in the smallest form that has every kind of file of theirs. */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { presentCheckpoints } from "../../../src/runs/checkpoint.js";
import { runFolder } from "../../../src/runs/folder.js";
import { readWeights } from "../../../src/runs/weightFiles.js";
import { writeNetcdf3 } from "../../data/importFixtures.js";
import { LAUNCHER } from "../../support/cli.js";
import { runCli } from "../../support/inProcess.js";
import { stateOf } from "../../support/runState.js";
import { writeTinyConfig } from "../../support/tinyProgram.js";
import { runAll, tinyConfig } from "../../support/tinyRun.js";
import { BLOSC_FILES, writeWheel } from "../../support/wheels.js";
import { readTree, type Tree } from "./replay.js";

/** How a call came to the state that is looked at. */
export interface Reached {
  /** the call ended with exit code 0 */
  ended: boolean;
  /** a training run had told that it has started */
  promised: boolean;
}

export interface Case {
  name: string;
  /** the command line; inputs lie in `beside`, everything that is written in `folder` */
  line: string[];
  env?: Record<string, string>;
  folder: string;
  /** the folder before the call */
  before: Tree;
  /** Looks at the folder, lets whoever comes next go on, and looks again. @throws if that is neither the old state nor the new */
  check(reached: Reached): Promise<void>;
}

const program = (...args: string[]): string[] => [process.execPath, LAUNCHER, ...args];

/** Two steps an epoch, and a checkpoint after each. */
const SET = {
  num_samples_per_epoch: 4,
  num_samples_validate: 2,
  num_epochs: 1,
  model_log_frequency: 1,
  num_loader_workers: 0,
};
const RUN = "faults01";

export function fail(what: string, found: unknown): never {
  throw new Error(`${what}: ${typeof found === "string" ? found : JSON.stringify(found)}`);
}

/** Text of a run's state in which numbers have all their digits. */
async function stateText(out: string, id: string): Promise<string> {
  return JSON.stringify(await stateOf(out, id), (_, value) => {
    if (value instanceof Map) return [...value];
    return value instanceof Float32Array ? Buffer.from(value.buffer).toString("base64") : value;
  });
}

const leftovers = (tree: Tree): string[] =>
  [...tree.keys()].filter((path) => /(^|\/)\.[^/]*(tmp|old)-|\.lock\./.test(path));

/**
 * A run is as it was when it was saved last, whatever came between: it goes on in place and ends as the unbroken one.
 * @param config what it goes on with in this process
 * @param unbroken the state that it must come to
 */
function checkRun(out: string, config: ReturnType<typeof tinyConfig>, unbroken: string) {
  return async ({ ended, promised }: Reached): Promise<void> => {
    const { checkpointDir, modelsDir } = runFolder(out, RUN);
    for (const path of [...readTree(out).keys()]) {
      if (path.endsWith(".mod") && !path.includes("/.")) await readWeights(join(out, path));
    }
    if (presentCheckpoints(checkpointDir, "latest").length === 0) {
      if (promised) fail("the run had started and cannot be continued", [...readTree(out).keys()]);
      const { code, stderr } = await runCli("train", "--continue", RUN, "--in-place", "--out", out);
      const isNamed = /the run has no (checkpoint "latest"|configuration)|there is no such run/.test(stderr);
      if (code !== 2 || !isNamed) fail("another message", stderr);
      return;
    }
    const isThere = (await stateText(out, RUN).catch(() => "")) === unbroken;
    if (ended && !isThere) fail("the run had ended and is another one", modelsDir);
    // nothing is left to do after the last epoch's validation
    if (isThere) return;
    await runAll(config, { out, continue: RUN, inPlace: true, engine: "wasm" });
    if ((await stateText(out, RUN)) !== unbroken) fail("the run went on to another state", modelsDir);
    const left = leftovers(readTree(out));
    if (left.length > 0 || existsSync(join(modelsDir, "training.lock"))) fail("left over", left);
  };
}

/** Runs of one process, from their start and in place. */
export async function training(root: string): Promise<Case[]> {
  const [folder, beside] = [join(root, "train"), join(root, "train-beside")];
  for (const path of [folder, beside]) mkdirSync(path, { recursive: true });
  const config = tinyConfig(SET);
  await runAll(config, { out: beside, runId: RUN, engine: "wasm" });
  const longer = tinyConfig({ ...SET, num_epochs: 2 });
  const begun = join(root, "train-begun");
  mkdirSync(begun);
  await runAll(longer, { out: begun, runId: RUN, engine: "wasm", maxSteps: 3 });
  const before = readTree(begun);
  await runAll(longer, { out: begun, continue: RUN, inPlace: true, engine: "wasm" });
  const flags = ["--engine", "wasm", "--json", "--out", folder];
  return [
    {
      name: "train",
      line: program("train", writeTinyConfig(beside, SET), ...flags, "--run-id", RUN),
      folder,
      before: new Map(),
      check: checkRun(folder, config, await stateText(beside, RUN)),
    },
    {
      name: "train --continue --in-place",
      line: program("train", ...flags, "--continue", RUN, "--in-place"),
      folder,
      before,
      check: checkRun(folder, longer, await stateText(begun, RUN)),
    },
  ];
}

/** Two processes; one goes on alone, from twice as many batches a step. */
export async function together(root: string): Promise<Case[]> {
  const [folder, beside] = [join(root, "mpi"), join(root, "mpi-beside")];
  for (const path of [folder, beside]) mkdirSync(path, { recursive: true });
  const set = { ...SET, num_samples_per_epoch: 8 };
  const alone = tinyConfig({ ...set, grad_accumulation: 2 });
  await runAll(alone, { out: beside, runId: RUN, engine: "wasm" });
  const mpirun = ["mpirun.openmpi", "--bind-to", "none", "--oversubscribe", "-n", "2"];
  const args = ["train", writeTinyConfig(beside, set), "--engine", "wasm", "--json", "--out", folder, "--run-id", RUN];
  return [
    {
      name: "train, two processes",
      line: [...mpirun, ...program(...args)],
      env: { OMPI_ALLOW_RUN_AS_ROOT: "1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1" },
      folder,
      before: new Map(),
      check: checkRun(folder, alone, await stateText(beside, RUN)),
    },
  ];
}

interface Plain {
  name: string;
  args: string[];
  folder: string;
  before: Tree;
  /** paths of what is written, below the folder; a folder's ends in `/` */
  targets: string[];
  /** what is there already steps aside for an instant */
  swaps?: boolean;
}

const belongs = (path: string, target: string) => path === target || (target.endsWith("/") && path.startsWith(target));

/** What lies at a path, or below it. */
const at = (tree: Tree, target: string): string =>
  JSON.stringify([...tree].filter(([path]) => belongs(path, target)).map(([path, b]) => [path, b?.toString("base64")]));

/** A command whose targets are the old ones or the new, and which does the same when it is called again. */
async function plain({ name, args, folder, before, targets, swaps = false }: Plain, after: Tree): Promise<Case> {
  const isThere = (tree: Tree, target: string) => [...tree.keys()].some((path) => belongs(path, target));
  return {
    name,
    line: program(...args),
    folder,
    before,
    async check({ ended }) {
      const found = readTree(folder);
      const isNew = targets.every((target) => at(found, target) === at(after, target));
      for (const target of targets) {
        const own = at(found, target);
        const isAside = swaps && isThere(before, target) && !isThere(found, target);
        if (own !== at(after, target) && own !== at(before, target) && !isAside) {
          const names = [...found.keys()].filter((path) => belongs(path, target));
          fail(`${target} is neither the old one nor the new`, names);
        }
      }
      if (ended && !isNew) fail("the command had ended, and what it wrote is not there", [...found.keys()]);
      const { code, stderr } = await runCli(...args);
      const again = readTree(folder);
      // what was complete but for its last renames has been brought to its end, and now is there already
      const isDone = code === 2 && targets.every((target) => at(again, target) === at(after, target));
      if (code !== 0 && !isDone) fail(`called again, it ends with ${code}`, stderr);
      const names = [...new Set([...again.keys(), ...after.keys()])];
      const differs = names.filter((path) => !again.has(path) || !after.has(path) || !isEqual(again, after, path));
      if (differs.length > 0) fail("called again, it leaves something else", differs);
    },
  };
}

const isEqual = (a: Tree, b: Tree, path: string): boolean => {
  const [one, other] = [a.get(path), b.get(path)];
  return one && other ? one.equals(other) : one === other;
};

/** Runs the command once, without faults, where it will be watched. */
async function measured(own: Omit<Plain, "before">): Promise<Case> {
  const before = readTree(own.folder);
  const { code, stderr } = await runCli(...own.args);
  if (code !== 0) fail(own.name, stderr);
  return plain({ ...own, before }, readTree(own.folder));
}

function source(path: string, seed: number): string {
  const [steps, rows, columns] = [40, 4, 6];
  const values = Array.from({ length: steps * rows * columns }, (_, i) => Math.fround(Math.sin(i * 0.37 + seed) * 20));
  const numbers = (count: number, value: (i: number) => number) => Array.from({ length: count }, (_, i) => value(i));
  return writeNetcdf3(path, {
    dims: { time: steps, lat: rows, lon: columns },
    variables: [
      {
        name: "time",
        dims: ["time"],
        type: "double",
        values: numbers(steps, (i) => i * 12),
        attrs: { units: "hours since 2001-01-20" },
      },
      { name: "lat", dims: ["lat"], type: "float", values: numbers(rows, (i) => 50 - i) },
      { name: "lon", dims: ["lon"], type: "float", values: numbers(columns, (i) => i) },
      { name: "sp", dims: ["time", "lat", "lon"], type: "float", values },
    ],
  });
}

/** Commands that build stores, anew and in place of others. */
export async function stores(root: string): Promise<Case[]> {
  const beside = join(root, "stores-beside");
  mkdirSync(beside, { recursive: true });
  const [file, other] = [source(join(beside, "a.nc"), 0), source(join(beside, "b.nc"), 1)];
  const made = join(beside, "made.zarr");
  const build = async (...args: string[]) => {
    const { code, stderr } = await runCli(...args);
    if (code !== 0) fail(args.join(" "), stderr);
  };
  const chunks = ["--chunks", "time=20,field=1"];
  await build("data", "import", file, "--out", made, ...chunks);
  const inFolder = (name: string) => {
    const folder = join(root, name);
    mkdirSync(folder, { recursive: true });
    return { folder, out: join(folder, "out.zarr"), targets: ["out.zarr/"] };
  };
  const [anew, over, zipped] = [inFolder("import"), inFolder("import-over"), inFolder("import-zip")];
  await build("data", "import", other, "--out", over.out, ...chunks);
  const [norm, rechunk] = [inFolder("normalize"), inFolder("rechunk")];
  await build("data", "import", file, "--out", norm.out, ...chunks);
  return [
    await measured({ name: "data import", args: ["data", "import", file, "--out", anew.out, ...chunks], ...anew }),
    await measured({
      name: "data import --overwrite",
      args: ["data", "import", file, "--out", over.out, ...chunks, "--overwrite"],
      ...over,
      swaps: true,
    }),
    await measured({
      name: "data import to a zip file",
      args: ["data", "import", file, "--out", `${zipped.out}.zip`, ...chunks],
      ...zipped,
      targets: ["out.zarr.zip"],
    }),
    await measured({
      name: "data normalize",
      args: ["data", "normalize", norm.out, "--dates", "2001-01-25..2001-02-05"],
      ...norm,
      targets: ["out.zarr/normalization/", "out.zarr/.zattrs"],
      swaps: true,
    }),
    await measured({
      name: "data rechunk",
      args: ["data", "rechunk", made, "--out", rechunk.out, "--chunks", "time=10"],
      ...rechunk,
    }),
  ];
}

/** Commands that make something of a run or of wheels. */
export async function others(root: string): Promise<Case[]> {
  const [beside, out] = [join(root, "others-beside"), join(root, "others-run")];
  for (const path of [beside, out]) mkdirSync(path, { recursive: true });
  await runAll(tinyConfig(SET), { out, runId: RUN, engine: "wasm" });
  const weights = join(out, "models", `id${RUN}`, `AtmoRep_id${RUN}.mod`);
  const call = async (...args: string[]) => {
    const { code, stderr } = await runCli(...args);
    if (code !== 0) fail(args.join(" "), stderr);
  };
  const folders = Object.fromEntries(
    ["convert", "convert-back", "report", "install", "evaluate"].map((name) => [name, join(root, name)]),
  );
  for (const path of Object.values(folders)) mkdirSync(path, { recursive: true });
  await call("weights", "convert", weights, join(beside, "a.safetensors"));
  // something is there already, and stays until the new one takes its place
  await call(
    "weights",
    "convert",
    join(out, "models", `id${RUN}`, `AtmoRep_tail_mean_sea_level_pressure_id${RUN}.mod`),
    join(folders["convert-back"], "a.mod"),
  );
  const version = (text: string, number: string) =>
    writeWheel(join(beside, `blosc2-${number}-py3-none-any.whl`), `blosc2-${number}`, {
      ...BLOSC_FILES,
      "blosc2/lib/libblosc2.so": Buffer.from(text),
    });
  const install = (wheel: string) => [
    "engine",
    "install",
    "--folder",
    join(folders.install, "engine"),
    "--wheel",
    wheel,
  ];
  const [older, newer] = [version("older", "4.0.0"), version("newer", "4.14.1")];
  await call(...install(older));
  // an evaluation reads the run's models below its own --out
  await runAll(tinyConfig(SET), { out: folders.evaluate, runId: RUN, engine: "wasm" });
  return [
    await measured({
      name: "weights convert to safetensors",
      args: ["weights", "convert", weights, join(folders.convert, "a.safetensors")],
      folder: folders.convert,
      targets: ["a.safetensors"],
    }),
    await measured({
      name: "weights convert to PyTorch, over another file",
      args: ["weights", "convert", join(beside, "a.safetensors"), join(folders["convert-back"], "a.mod")],
      folder: folders["convert-back"],
      targets: ["a.mod"],
    }),
    await measured({
      name: "runs report",
      args: ["runs", "report", RUN, "--out", out, "--file", join(folders.report, "report.html")],
      folder: folders.report,
      targets: ["report.html"],
    }),
    await measured({
      name: "engine install, over another version",
      args: install(newer),
      folder: folders.install,
      targets: ["engine/blosc2/"],
      swaps: true,
    }),
    await measured({
      name: "evaluate",
      args: ["evaluate", RUN, "--engine", "wasm", "--out", folders.evaluate, "--run-id", "evalua01"],
      folder: folders.evaluate,
      targets: ["results/idevalua01/"],
    }),
  ];
}
