/**
 * What may befall processes that train together, under every launcher: all end within half a minute, with a message, and what
 * was learnt goes on. A few by default; ATMOREP_MPI_FAULTS=all tries every fault under every launcher.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { loadCheckpoint } from "../../src/runs/checkpoint.js";
import { runFolder } from "../../src/runs/folder.js";
import { atmorep, LAUNCHER } from "../support/cli.js";
import { rowsOf, type Slurm, startSlurm, until } from "../support/slurm.js";
import { tempDir } from "../support/tempDir.js";
import { writeTinyConfig } from "../support/tinyProgram.js";
import { runAll, temporaryFolder, tinyConfig } from "../support/tinyRun.js";
import { ENV, MPICH, OPEN_MPI, processesOf } from "./training.js";

const LAUNCHERS: Record<string, readonly string[]> = {
  "mpirun of Open MPI": OPEN_MPI,
  "mpirun of MPICH": MPICH,
  "srun, Open MPI": ["srun", "-K1", "--mpi=pmix", "-n"],
  "srun, MPICH": ["srun", "-K1", "--mpi=pmi2", "-n"],
};

interface Fault {
  /** before the start: arguments and environment */
  args?: readonly string[];
  env?: Record<string, string>;
  set?: Record<string, unknown>;
  /** to the second process at work, or what it writes to */
  strike?: (pids: readonly number[], out: string) => void;
  message: RegExp;
}

const signalled = (signal: NodeJS.Signals) => (pids: readonly number[]) => {
  process.kill(Math.max(...pids), signal);
};
const FAULTS: Record<string, Fault> = {
  killed: { strike: signalled("SIGKILL"), message: /is gone|silent for 4 s|signal 9|KILLED|Killed/ },
  stopped: {
    // epochs so long, and so few saves, that it is stopped in a step
    set: { num_samples_per_epoch: 40_000, model_log_frequency: 10_000 },
    strike: signalled("SIGSTOP"),
    message: /process 1 \(.*\) silent for 4 s in step \d+/,
  },
  "missing data": { args: ["--data", "missing.zarr"], message: /missing\.zarr/ },
  "no MPI library": { env: { ATMOREP_MPI: "libnone.so" }, message: /no MPI library can be loaded.*libnone/s },
  "a full disk": {
    strike: (_, out) => void spawnSync("dd", ["if=/dev/zero", `of=${join(out, "small", "full")}`, "bs=64K"]),
    message: /the disk is full/,
  },
  "out of memory": {
    strike: (pids) => void spawnSync("prlimit", ["--pid", String(Math.max(...pids)), "--as=1048576"]),
    // where a library's own allocation is the first to fail, the process is ended by C++ or a signal; the others or the launcher say so
    message: /memory|bad_alloc|is gone|signal \d+|Aborted|Segmentation|SEGV/i,
  },
};
const USUAL = [
  "srun, Open MPI: stopped",
  "srun, Open MPI: no MPI library",
  "srun, MPICH: killed",
  "srun, MPICH: missing data",
  "mpirun of Open MPI: a full disk",
];
const isAll = process.env.ATMOREP_MPI_FAULTS === "all";
const cases = Object.keys(LAUNCHERS).flatMap((launcher) =>
  Object.keys(FAULTS)
    .filter((fault) => isAll || USUAL.includes(`${launcher}: ${fault}`))
    .map((fault) => [launcher, fault] as const),
);

let cluster: Slurm;
beforeAll(async () => {
  cluster = startSlurm(temporaryFolder(), 4);
  expect((await atmorep(["--version"])).code).toBe(0);
});
afterAll(() => cluster?.stop());

it.each(cases)("%s: %s", async (launcher, name) => {
  const { args = [], env = {}, strike, message, ...fault } = FAULTS[name];
  const dir = tempDir();
  const out = join(dir, "small");
  const set = { num_epochs: 400, model_log_frequency: 4, ...fault.set };
  mkdirSync(out);
  // what fills a disk must not fill that of others
  const isSmall = name === "a full disk";
  if (isSmall) expect(spawnSync("mount", ["-t", "tmpfs", "-o", "size=24m", "tmpfs", out]).status).toBe(0);
  try {
    const train = ["train", writeTinyConfig(dir, set), "--out", out, "--run-id", "faulty00", "--seed", "3", ...args];
    const [program, ...rest] = [...LAUNCHERS[launcher], "2", process.execPath, LAUNCHER, ...train, "--engine", "wasm"];
    const child = spawn(program, rest, {
      env: { ...ENV, ...cluster.env, ...env, ATMOREP_WATCHDOG: "4" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    // Hydra, MPICH's launcher, may end all of them before one can speak, and says itself on standard output why
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (text) => {
        said += text;
      });
    }
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    const folder = runFolder(out, "faulty00");
    if (strike) {
      await until("first steps", () => rowsOf(folder.metrics) >= 6);
      strike(processesOf(out), dir);
    }
    const began = Date.now();
    const code = await ended;
    expect(said).toMatch(message);
    if (!strike) {
      // without a library they cannot talk: srun may end the second before it has found out, and gives the largest code
      const codes = name === "no MPI library" && launcher.startsWith("srun") ? [2, 143] : [2];
      expect(codes, said).toContain(code);
      if (name === "missing data") expect(said.match(/^error: /gm), said).toHaveLength(1);
      expect(existsSync(folder.resultsDir)).toBe(false);
      return;
    }
    expect(code, said).not.toBe(0);
    expect(Date.now() - began, said).toBeLessThan(30_000);
    if (isSmall) rmSync(join(out, "full"));
    const { state } = await loadCheckpoint(folder.checkpointDir, "latest");
    const further = { out, continue: "faulty00", runId: "revived0", maxSteps: state.step + 2 };
    const { finished } = await runAll(tinyConfig(set), further);
    expect(finished.step).toBe(state.step + 2);
  } finally {
    if (isSmall) spawnSync("umount", ["--lazy", out]);
  }
});
