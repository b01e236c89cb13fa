/**
 * Every command as a process with a full disk behind standard output, with a full disk behind what it writes, and with Ctrl-C at
 * some moment: one message and an exit code that says so, no stack, nothing half-written. ATMOREP_MOMENTS says at how many
 * moments each is interrupted.
 */
import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Variable, writeNetcdf3 } from "../data/importFixtures.js";
import { LAUNCHER, ROOT } from "../support/cli.js";
import { countFromEnv, writeTinyConfig } from "../support/tinyProgram.js";
import { runAll, tinyConfig } from "../support/tinyRun.js";

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

/** Commands; `writes`: the output goes to a file, and standard output has a line at most. */
const COMMANDS: Record<string, { args: string[]; writes?: boolean }> = {
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
});

interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stderr: string;
  seconds: number;
}

/** @param after seconds until SIGINT; null for none */
function call(
  args: readonly string[],
  { folder, after = null, full = false }: { folder: string; after?: number | null; full?: boolean },
) {
  const line = args.map((word) => word.replaceAll(HERE, folder));
  const began = performance.now();
  return new Promise<Ended>((resolve, reject) => {
    const shell = ["-c", 'exec "$0" "$@" > /dev/full', process.execPath, LAUNCHER, ...line];
    const [program, words] = full ? ["bash", shell] : [process.execPath, [LAUNCHER, ...line]];
    const env = { ...process.env, XDG_CACHE_HOME: join(folder, "..", "cache"), TMPDIR: join(folder, "..", "tmp") };
    const child = spawn(program, words, { cwd: ROOT, env, stdio: ["ignore", "ignore", "pipe"] });
    const timer = after === null ? null : setTimeout(() => child.kill("SIGINT"), after * 1000);
    let stderr = "";
    child.stderr.on("data", (text) => {
      stderr += text;
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (timer) clearTimeout(timer);
      resolve({ code, signal, stderr, seconds: (performance.now() - began) / 1000 });
    });
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

it.each(Object.entries(COMMANDS))("%s: full disks and Ctrl-C", async (_, { args, writes = false }) => {
  const folder = place();
  const toFull = await call(args, { folder, full: true });
  expect(toFull.stderr).not.toMatch(STACK);
  // what is written elsewhere is there, and whoever printed nothing has lost nothing
  if (toFull.code !== 0 || !writes) {
    expect(toFull.stderr).toMatch(/^error: standard output: it cannot be written; found the disk is full \(ENOSPC\)/m);
    expect(toFull.code).toBe(1);
  }
  expect(leftovers(folder)).toEqual([]);

  if (writes && MAY_MOUNT) {
    const small = place();
    // the run fits, and not a byte more
    const fill = `mount -t tmpfs -o size=16m tmpfs "$0" && cp -r "$1/." "$0" && { head -c 32m /dev/zero > "$0/filler" 2> /dev/null; true; }`;
    expect(spawnSync("bash", ["-c", fill, small, join(root, "run")]).status).toBe(0);
    try {
      const ended = await call(args, { folder: small });
      expect(ended.stderr).not.toMatch(STACK);
      expect(ended.stderr).toMatch(/^error: .*ENOSPC/m);
      expect([1, 2]).toContain(ended.code);
      expect(leftovers(small)).toEqual([]);
    } finally {
      spawnSync("umount", [small]);
    }
  }

  for (let moment = 0; moment < MOMENTS; moment++) {
    const interrupted = place();
    const after = 0.2 + (toFull.seconds * (moment + 0.5)) / MOMENTS;
    const { code, signal, stderr } = await call(args, { folder: interrupted, after });
    expect(stderr).not.toMatch(STACK);
    // done before the signal, stopped by it, or not yet there to hear it
    expect(signal === "SIGINT" || code === 0 || code === 130, `${code} ${signal} ${stderr}`).toBe(true);
    if (code === 130) expect(stderr).toMatch(/stopped|ending|interrupted|Continue|continue|again/i);
    expect(leftovers(interrupted), stderr).toEqual([]);
  }
});
