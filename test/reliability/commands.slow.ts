/**
 * Every command as a process with a full disk behind standard output, with a full disk behind what it writes, and with Ctrl-C at
 * some moment: one message and an exit code that says so, no stack, nothing half-written. ATMOREP_MOMENTS says at how many
 * moments each is interrupted. ATMOREP_TEST_JUPYTER names a Python with the packages of assets/lab/requirements.txt, by which
 * notebooks are run.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Variable, writeNetcdf3 } from "../data/importFixtures.js";
import { LAUNCHER, ROOT } from "../support/cli.js";
import { countFromEnv, writeTinyConfig } from "../support/tinyProgram.js";
import { runAll, tinyConfig } from "../support/tinyRun.js";
import { LLVM_FILES, writeWheel } from "../support/wheels.js";

const MOMENTS = countFromEnv("ATMOREP_MOMENTS", 2);
const root = mkdtempSync(join(tmpdir(), "atmorep-commands-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A disk of its own, which is soon full. */
const MAY_MOUNT =
  spawnSync("bash", ["-c", "d=$(mktemp -d); mount -t tmpfs tmpfs $d && umount $d; s=$?; rmdir $d; exit $s"]).status ===
  0;

/** The folder that each call has for itself: one run, and room for what is written. */
const HERE = "HERE";
/** What all of them read. */
const GIVEN = join(root, "given");
const CONFIG = join(GIVEN, "tiny.json");
const STORE = join(ROOT, "assets", "storm_199601.zarr");
const FILE = join(GIVEN, "file.nc");
const WEIGHTS = join(HERE, "models", "idcommand1", "AtmoRep_idcommand1.mod");

/** The package as it is installed: its environment for notebooks lies in the user's cache, here that of the call. */
const PACKAGE = join(root, "package");
const JUPYTER = process.env.ATMOREP_TEST_JUPYTER;
const WHEEL = join(GIVEN, "llvmlite.whl");
const NOTEBOOK = join(HERE, "cells.ipynb");

interface Case {
  args: string[];
  /** the output goes to a file, and standard output has a line at most */
  writes?: boolean;
  /** with the installed package, as which notebooks are run */
  notebook?: boolean;
  /** the same call, given again after it was stopped, ends well, or finds that all is done */
  again?: RegExp;
}

const COMMANDS: Record<string, Case> = {
  train: { args: ["train", CONFIG, "--out", HERE, "--run-id", "another1", "--max-steps", "2"], writes: true },
  "train --continue": {
    args: ["train", "--continue", "command1", "--in-place", "--set", "num_epochs=2", "--out", HERE],
    writes: true,
  },
  "train --dry-run": { args: ["train", CONFIG, "--dry-run", "--out", HERE] },
  evaluate: { args: ["evaluate", "command1", "--out", HERE, "--run-id", "evaluate"], writes: true },
  "config show": { args: ["config", "show", "--preset", "storm"] },
  "config validate": { args: ["config", "validate", CONFIG] },
  "config diff": { args: ["config", "diff", CONFIG, "--preset", "storm"] },
  "config docs": { args: ["config", "docs"] },
  "data sample": { args: ["data", "sample", join(HERE, "waves.zarr"), "--days", "10"], writes: true },
  "data info": { args: ["data", "info", STORE] },
  "data info --verify": { args: ["data", "info", STORE, "--verify"] },
  "data info --map": { args: ["data", "info", FILE, "--map", join(HERE, "map.json")], writes: true },
  "data normalize": { args: ["data", "normalize", FILE, "--out", join(HERE, "statistics.zip")], writes: true },
  "data import": { args: ["data", "import", FILE, "--out", join(HERE, "built.zarr")], writes: true },
  "data rechunk": {
    args: ["data", "rechunk", STORE, "--out", join(HERE, "chunks.zarr"), "--chunks", "time=4"],
    writes: true,
  },
  "data finalise": {
    args: ["data", "finalise", join(HERE, "parts.zarr")],
    writes: true,
    again: /nothing unfinished here/,
  },
  "weights info": { args: ["weights", "info", WEIGHTS] },
  "weights convert": { args: ["weights", "convert", WEIGHTS, join(HERE, "w.safetensors")], writes: true },
  runs: { args: ["runs", "--out", HERE] },
  "runs show": { args: ["runs", "show", "command1", "--out", HERE] },
  "runs compare": { args: ["runs", "compare", "command1", "command1", "--out", HERE] },
  "runs report": { args: ["runs", "report", "command1", "--out", HERE], writes: true },
  "runs verify": { args: ["runs", "verify", "command1", "--out", HERE] },
  "runs reproduce": { args: ["runs", "reproduce", "command1", "--out", HERE] },
  "runs prune": { args: ["runs", "prune", "--yes", "--out", HERE] },
  "runs rm": { args: ["runs", "rm", "command1", "--yes", "--out", HERE] },
  verify: { args: ["verify", join(ROOT, "test", "golden"), "--engine", "wasm"] },
  "bench step": { args: ["bench", "step", "--preset", "storm", "--repeats", "1"] },
  "bench prepare": { args: ["bench", "prepare", "--preset", "storm", "--workers", "0"] },
  "bench read": { args: ["bench", "read", "--preset", "storm"] },
  "engine info": { args: ["engine", "info"] },
  "engine install": {
    args: ["engine", "install", "--wheel", WHEEL, "--folder", join(HERE, "engine")],
    writes: true,
    again: /never/,
  },
  run: { args: ["run", NOTEBOOK, "--inplace"], notebook: true, again: /never/ },
  "run FILE.ts": { args: ["run", join(GIVEN, "script.ts")] },
  "kernel install": { args: ["kernel", "install", "--prefix", HERE], writes: true },
  "notebook new": { args: ["notebook", "new", join(HERE, "new.ipynb")], writes: true },
  doctor: { args: ["doctor"] },
};

beforeAll(async () => {
  mkdirSync(GIVEN);
  writeTinyConfig(GIVEN, { num_loader_workers: 0 });
  const range = (n: number, of: (i: number) => number) => Array.from({ length: n }, (_, i) => of(i));
  const axis = (name: string, values: number[], units: string): Variable => ({
    name,
    dims: [name],
    type: "double",
    values,
    attrs: { units },
  });
  writeNetcdf3(FILE, {
    dims: { time: 40, latitude: 12, longitude: 24 },
    variables: [
      axis(
        "time",
        range(40, (t) => 6 * t),
        "hours since 2020-01-01",
      ),
      axis(
        "latitude",
        range(12, (y) => 82.5 - 15 * y),
        "degrees_north",
      ),
      axis(
        "longitude",
        range(24, (x) => 15 * x),
        "degrees_east",
      ),
      {
        name: "msl",
        dims: ["time", "latitude", "longitude"],
        type: "float",
        values: range(40 * 12 * 24, (i) => 101_000 + 900 * Math.sin(i / 37)),
        attrs: { units: "Pa" },
      },
    ],
  });
  const config = tinyConfig({
    num_samples_per_epoch: 4,
    num_samples_validate: 2,
    num_epochs: 1,
    num_loader_workers: 0,
  });
  await runAll(config, { out: join(root, "run"), runId: "command1", engine: "wasm" });
  for (const part of ["1/2", "2/2"]) {
    const words = ["data", "import", FILE, "--out", join(root, "run", "parts.zarr"), "--part", part];
    expect(spawnSync(process.execPath, [LAUNCHER, ...words]).status).toBe(0);
  }
  writeWheel(WHEEL, "llvmlite-0.50.0", {
    ...LLVM_FILES,
    "llvmlite/binding/libllvmlite.so": Buffer.alloc(40 << 20, "LLVM"),
  });
  writeFileSync(join(GIVEN, "script.ts"), "for (let i = 0; i < 5; i++) console.log(i);\n");
  writeFileSync(join(root, "run", "cells.ipynb"), JSON.stringify(notebookOf("console.log(1)", "1 + 1")));
  for (const name of ["dist", "bin", "assets"]) cpSync(join(ROOT, name), join(PACKAGE, name), { recursive: true });
  copyFileSync(join(ROOT, "package.json"), join(PACKAGE, "package.json"));
  symlinkSync(realpathSync(join(ROOT, "node_modules")), join(PACKAGE, "node_modules"));
});

const notebookOf = (...cells: string[]) => ({
  cells: cells.map((source, i) => ({
    cell_type: "code",
    id: `cell${i}`,
    metadata: {},
    execution_count: null,
    outputs: [],
    source,
  })),
  metadata: { kernelspec: { name: "atmorep", display_name: "TypeScript (AtmoRep)", language: "typescript" } },
  nbformat: 4,
  nbformat_minor: 5,
});

/** The environment that `atmorep lab` makes, out of packages that are there already. */
function makeEnvironment(cache: string): void {
  const [lab, python] = [join(cache, "atmorep", "lab"), JUPYTER as string];
  mkdirSync(join(lab, "bin"), { recursive: true });
  const venv = dirname(dirname(python));
  copyFileSync(join(venv, "pyvenv.cfg"), join(lab, "pyvenv.cfg"));
  symlinkSync(join(venv, "lib"), join(lab, "lib"));
  symlinkSync(realpathSync(python), join(lab, "bin", "python"));
  const requirements = readFileSync(join(PACKAGE, "assets", "lab", "requirements.txt"));
  writeFileSync(join(lab, "atmorep-lab.sha256"), `${createHash("sha256").update(requirements).digest("hex")}\n`);
}

interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stderr: string;
  seconds: number;
}

interface CallOptions {
  folder: string;
  /** seconds until SIGINT, which comes to all processes of the command as from a terminal; null for none */
  after?: number | null;
  /** a full disk behind standard output */
  full?: boolean;
  launcher?: string;
}

function call(args: readonly string[], { folder, after = null, full = false, launcher = LAUNCHER }: CallOptions) {
  const line = args.map((word) => word.replaceAll(HERE, folder));
  const began = performance.now();
  return new Promise<Ended>((resolve, reject) => {
    const shell = ["-c", 'exec "$0" "$@" > /dev/full', process.execPath, launcher, ...line];
    const [program, words] = full ? ["bash", shell] : [process.execPath, [launcher, ...line]];
    const env = { ...process.env, XDG_CACHE_HOME: join(folder, "..", "cache"), TMPDIR: join(folder, "..", "tmp") };
    const child = spawn(program, words, { cwd: ROOT, env, stdio: ["ignore", "ignore", "pipe"], detached: true });
    const interrupt = () => process.kill(-(child.pid as number), "SIGINT");
    const timer = after === null ? null : setTimeout(interrupt, after * 1000);
    let stderr = "";
    child.stderr.on("data", (text) => {
      stderr += text;
    });
    child.on("error", reject);
    child.on("exit", () => {
      if (timer) clearTimeout(timer);
    });
    child.on("close", (code, signal) => resolve({ code, signal, stderr, seconds: (performance.now() - began) / 1000 }));
  });
}

/** A folder with the run, beside its places for temporary and kept files. */
function place(): string {
  const dir = mkdtempSync(join(root, "call-"));
  for (const name of ["tmp", "cache"]) mkdirSync(join(dir, name));
  cpSync(join(root, "run"), join(dir, "out"), { recursive: true });
  return join(dir, "out");
}

const STACK = /^ {4}at |fault of the program/m;
/** Temporary names of files and folders, and what unpacks or builds in the place for temporary files. */
const leftovers = (folder: string): string[] => [
  ...readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => /(^|\/)\.[^/]*(tmp|old)-/.test(name)),
  ...readdirSync(join(folder, "..", "tmp")).filter((name) => name.startsWith("atmorep-")),
];

const whole = (folder: string) => JSON.parse(readFileSync(join(folder, "cells.ipynb"), "utf8"));

const isRun = ([, { notebook }]: [string, Case]) => !notebook || JUPYTER !== undefined;

it.each(Object.entries(COMMANDS).filter(isRun))("%s: full disks and Ctrl-C", async (_, given) => {
  const { args, writes = false, notebook = false, again } = given;
  const launcher = notebook ? join(PACKAGE, "bin", "atmorep.js") : LAUNCHER;
  const prepare = () => {
    const folder = place();
    if (notebook) makeEnvironment(join(folder, "..", "cache"));
    return folder;
  };
  const check = (folder: string, stderr: string) => {
    expect(stderr).not.toMatch(STACK);
    expect(leftovers(folder), stderr).toEqual([]);
    whole(folder);
  };
  const goesOn = async (folder: string) => {
    if (!again) return;
    const { code, stderr } = await call(args, { folder, launcher });
    if (code !== 0) expect(stderr).toMatch(again);
  };

  const folder = prepare();
  const toFull = await call(args, { folder, full: true, launcher });
  check(folder, toFull.stderr);
  // what is written elsewhere is there, and whoever printed nothing has lost nothing
  if (toFull.code !== 0 || !writes) {
    expect(toFull.stderr).toMatch(/^error: standard output: it cannot be written; found the disk is full \(ENOSPC\)/m);
    expect(toFull.code).toBe(1);
  }

  if ((writes || notebook) && MAY_MOUNT) {
    const small = prepare();
    // the run fits, and not a byte more
    const fill = `mount -t tmpfs -o size=16m tmpfs "$0" && cp -r "$1/." "$0" && { head -c 32m /dev/zero > "$0/filler" 2> /dev/null; true; }`;
    expect(spawnSync("bash", ["-c", fill, small, join(root, "run")]).status).toBe(0);
    try {
      const ended = await call(args, { folder: small, launcher });
      check(small, ended.stderr);
      expect(ended.stderr).toMatch(/^error: .*ENOSPC/m);
      expect([1, 2]).toContain(ended.code);
      rmSync(join(small, "filler"));
      if (!args.includes(WHEEL)) await goesOn(small);
    } finally {
      spawnSync("umount", [small]);
    }
  }

  for (let moment = 0; moment < MOMENTS; moment++) {
    const interrupted = prepare();
    const after = 0.2 + (toFull.seconds * (moment + 0.5)) / MOMENTS;
    const { code, signal, stderr } = await call(args, { folder: interrupted, after, launcher });
    check(interrupted, stderr);
    // done before the signal, stopped by it, or not yet there to hear it
    expect(signal === "SIGINT" || code === 0 || code === 130, `${code} ${signal} ${stderr}`).toBe(true);
    if (code === 130) expect(stderr).toMatch(/stopped|ending|interrupted|Continue|continue|again/i);
    await goesOn(interrupted);
  }
});

/**
 * What `lab` writes is its environment, by Python's venv and pip: the real ones, up to some second of the download. The whole
 * of it takes a minute and the network.
 */
describe("lab: its environment", () => {
  const launcher = join(PACKAGE, "bin", "atmorep.js");
  const args = ["lab", GIVEN, "--yes", "--no-browser"];
  /** processes that still write into a folder, once those that were told to end had the time */
  const writers = async (folder: string) => {
    const find = () =>
      readdirSync("/proc").filter((pid) => {
        if (!/^\d+$/.test(pid)) return false;
        try {
          return readFileSync(join("/proc", pid, "cmdline"), "utf8").includes(folder);
        } catch {
          return false;
        }
      });
    for (let i = 0; i < 50 && find().length > 0; i++) await new Promise((resolve) => setTimeout(resolve, 100));
    return find();
  };

  it.each(Array.from({ length: MOMENTS }, (_, moment) => 0.5 + (12 * moment) / MOMENTS))(
    "interrupted after %d s, it is begun anew",
    async (after) => {
      const folder = place();
      const lab = join(folder, "..", "cache", "atmorep", "lab");
      for (const expected of [
        /JupyterLab is not there yet|^$/m,
        /is not there yet|was not downloaded to the end|^$/m,
      ]) {
        const { code, signal, stderr } = await call(args, { folder, after, launcher });
        expect(stderr).not.toMatch(STACK);
        expect(signal === "SIGINT" || code === 130, `${code} ${signal} ${stderr}`).toBe(true);
        if (code === 130) expect(stderr).toMatch(/stopped.*again/);
        expect(stderr).toMatch(expected);
        expect(await writers(lab)).toEqual([]);
        if (existsSync(lab)) expect(readFileSync(join(lab, "atmorep-lab.sha256"), "utf8")).toBe("unfinished\n");
      }
    },
  );

  // too little for venv, and too little for what pip unpacks
  it.runIf(MAY_MOUNT).each([
    ["4m", 2],
    ["60m", 1],
  ])("on a disk of %s it says so, and is begun anew", async (size, calls) => {
    const folder = place();
    const cache = join(folder, "..", "cache");
    expect(spawnSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", cache]).status).toBe(0);
    try {
      for (let calling = 0; calling < calls; calling++) {
        const { code, stderr } = await call(args, { folder, launcher });
        expect(stderr).not.toMatch(STACK);
        expect(stderr).toMatch(/^error: .*(making the environment|downloading JupyterLab) failed.*begins anew/m);
        expect(stderr).toMatch(calling === 0 ? /is not there yet/ : /was not downloaded to the end/);
        expect(code).toBe(1);
      }
    } finally {
      spawnSync("umount", [cache]);
    }
  });
});
