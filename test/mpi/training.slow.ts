/** Two processes that train one model, through a real mpirun. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { runFolder } from "../../src/runs/folder.js";
import { atmorep, LAUNCHER, type Outcome, runProgram } from "../support/cli.js";
import { stateOf } from "../support/runState.js";
import { tempDir } from "../support/tempDir.js";
import { writeTinyConfig } from "../support/tinyProgram.js";
import { runAll, tinyConfig } from "../support/tinyRun.js";

const ENV = { ...process.env, OMPI_ALLOW_RUN_AS_ROOT: "1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1" };
const OPEN_MPI = ["mpirun.openmpi", "--bind-to", "none", "--oversubscribe", "-n"];
const MPICH = ["mpirun.mpich", "-n"];
const launchers = [OPEN_MPI, MPICH].filter(([program]) => spawnSync(program, ["--version"]).status === 0);

function together(launcher: readonly string[], size: number, args: readonly string[]): Promise<Outcome> {
  const [program, ...rest] = [...launcher, String(size), process.execPath, LAUNCHER, "train", ...args];
  return runProgram(program, rest, undefined, ENV);
}

beforeAll(async () => {
  expect(launchers.length, "install Open MPI: apt-get install openmpi-bin").toBeGreaterThan(0);
  const { code, stderr } = await atmorep(["--version"]);
  expect(code, stderr).toBe(0);
});

describe.each(launchers.map((launcher) => [launcher[0], launcher] as const))("%s", (_, launcher) => {
  it.each(["run", "batch"])("2 processes learn what one learns from as many batches, masks by %s", async (streams) => {
    const out = tempDir();
    const args = [writeTinyConfig(out, { mask_streams: streams }), "--out", out, "--seed", "3"];
    const { code, stderr, stdout } = await together(launcher, 2, [...args, "--run-id", "twoprocs"]);
    expect(code, stderr).toBe(0);
    expect(stdout.match(/mean_sea_level_pressure/g)?.length, "only one of them prints").toBeLessThan(20);
    const alone = await atmorep(["train", ...args, "--run-id", "onealone", "--set", "grad_accumulation=2"]);
    expect(alone.code, alone.stderr).toBe(0);
    expect(await stateOf(out, "twoprocs")).toEqual(await stateOf(out, "onealone"));
    const config = JSON.parse(readFileSync(join(out, "models", "idtwoprocs", "model_idtwoprocs.json"), "utf8"));
    expect([config.par_rank, config.par_size]).toEqual([0, 2]);
    const stores = (id: string) =>
      readdirSync(join(out, "results", `id${id}`)).filter((f) => f.endsWith(".zarr")).length;
    expect(stores("twoprocs")).toBe(stores("onealone"));
  });

  it("goes on with what another number of processes has saved", async () => {
    const out = tempDir();
    const set = { num_samples_per_epoch: 16 };
    const args = [writeTinyConfig(out, set), "--out", out, "--seed", "3"];
    const first = await together(launcher, 2, [...args, "--run-id", "stopped0", "--max-steps", "3"]);
    expect(first.code, first.stderr).toBe(0);
    const rest = ["--out", out, "--continue", "stopped0", "--run-id", "wentonby", "--set", "grad_accumulation=2"];
    const second = await atmorep(["train", ...rest]);
    expect(second.code, second.stderr).toBe(0);
    const unbroken = await together(launcher, 2, [...args, "--run-id", "unbroken"]);
    expect(unbroken.code, unbroken.stderr).toBe(0);
    expect(await stateOf(out, "wentonby")).toEqual(await stateOf(out, "unbroken"));
  });

  it("a process that dies ends the others; the last checkpoint goes on", async () => {
    const out = tempDir();
    const args = [writeTinyConfig(out, { num_epochs: 400 }), "--out", out, "--run-id", "onedies0", "--seed", "3"];
    const [program, ...rest] = [...launcher, "2", process.execPath, LAUNCHER, "train", ...args];
    const child = spawn(program, rest, { env: ENV, stdio: "ignore" });
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    const { metrics } = runFolder(out, "onedies0");
    while (!existsSync(metrics) || readFileSync(metrics, "utf8").split("\n").length < 6) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const victims = spawnSync("pgrep", ["-f", `${LAUNCHER} train .*onedies0`], { encoding: "utf8" });
    const own = victims.stdout.trim().split("\n").map(Number);
    process.kill(Math.max(...own), "SIGKILL");
    expect(await ended).not.toBe(0);
    const { finished } = await runAll(tinyConfig({ num_epochs: 400 }), {
      out,
      continue: "onedies0",
      runId: "revived0",
      maxSteps: 40,
    });
    expect(finished.step).toBe(40);
  });

  it("a wrong configuration ends all with exit 2 and nothing written", async () => {
    const out = tempDir();
    const args = [writeTinyConfig(out, { file_path: "missing.zarr" }), "--out", join(out, "new")];
    const { code, stderr } = await together(launcher, 2, args);
    expect(code).toBe(2);
    expect(stderr.match(/^error: .*missing\.zarr/gm)).toHaveLength(1);
    expect(existsSync(join(out, "new"))).toBe(false);
  });
});

it("processes that MPI does not join are refused", async () => {
  const out = tempDir();
  const env = { ...process.env, SLURM_STEP_NUM_TASKS: "2" };
  const { code, stderr } = await atmorep(["train", writeTinyConfig(out), "--out", join(out, "new")], undefined, env);
  expect(code).toBe(2);
  expect(stderr).toContain("MPI does not see the processes that were started");
});
