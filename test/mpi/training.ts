/** Two processes that train one model, through a real mpirun: what is the same for every launcher. */
import { spawn, spawnSync } from "node:child_process";
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { loadCheckpoint } from "../../src/runs/checkpoint.js";
import { runFolder } from "../../src/runs/folder.js";
import { atmorep, LAUNCHER, type Outcome, ROOT, runProgram } from "../support/cli.js";
import { stateOf } from "../support/runState.js";
import { rowsOf, until } from "../support/slurm.js";
import { tempDir } from "../support/tempDir.js";
import { writeTinyConfig } from "../support/tinyProgram.js";
import { runAll, tinyConfig } from "../support/tinyRun.js";

export const ENV = { ...process.env, OMPI_ALLOW_RUN_AS_ROOT: "1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1" };
export const OPEN_MPI = ["mpirun.openmpi", "--bind-to", "none", "--oversubscribe", "-n"];
export const MPICH = ["mpirun.mpich", "-n"];
export const installed = ([program]: readonly string[]) => spawnSync(program, ["--version"]).status === 0;

/** Process numbers of the training that writes below `out`. @throws if there is none: a signal to number 0 would meet the tests */
export function processesOf(out: string): number[] {
  const found = spawnSync("pgrep", ["-f", `^${process.execPath} ${LAUNCHER} train .*${out}`], { encoding: "utf8" });
  const numbers = found.stdout.split("\n").filter(Boolean).map(Number);
  if (numbers.length === 0) throw new Error(`no process trains below ${out}`);
  return numbers;
}

export function together(launcher: readonly string[], size: number, args: readonly string[]): Promise<Outcome> {
  const [program, ...rest] = [...launcher, String(size), process.execPath, LAUNCHER, "train", ...args];
  return runProgram(program, rest, undefined, ENV);
}

/** Everything that is held for a launcher, each in a file of its own, so that they run beside each other. */
export function describeTraining(launcher: readonly string[]): void {
  beforeAll(async () => {
    const { code, stderr } = await atmorep(["--version"]);
    expect(code, stderr).toBe(0);
  });
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

  it("runs reproduce makes it again in one process, to the bit, where one adds up in the same order", async () => {
    const out = tempDir();
    const common = ["--out", out, "--seed", "3"];
    const first = await together(launcher, 2, [writeTinyConfig(out), ...common, "--run-id", "makeagan"]);
    expect(first.code, first.stderr).toBe(0);
    const again = await atmorep(["runs", "reproduce", "makeagan", "--out", out]);
    expect(again.stdout, again.stderr).toMatch(/^equal to the bit: \d+ steps/);
    expect(again.stderr).toMatch(
      /2 processes trained it; made again in one, which takes 2 times the batches to a step/,
    );
    expect(again.code).toBe(0);
    const { metrics } = runFolder(out, "makeagan");
    writeFileSync(metrics, readFileSync(metrics, "utf8").replace(/"training loss":[\d.e-]+/, '"training loss":0.25'));
    const differs = await atmorep(["runs", "reproduce", "makeagan", "--out", out]);
    expect([differs.code, differs.stdout]).toEqual([
      1,
      expect.stringMatching(/differs first at step 1: training loss/),
    ]);
    const config = writeTinyConfig(out, { num_samples_per_epoch: 16, grad_accumulation: 2 });
    await together(launcher, 2, [config, ...common, "--run-id", "addsown0", "--max-steps", "1"]);
    const own = await atmorep(["runs", "reproduce", "addsown0", "--out", out]);
    expect([own.code, own.stdout], own.stderr).toEqual([0, expect.stringMatching(/^equal to the bit/)]);
    await together(launcher, 2, [
      config,
      ...common,
      "--run-id",
      "theirsum",
      "--max-steps",
      "1",
      "--set",
      "reduction=fast",
    ]);
    const refused = await atmorep(["runs", "reproduce", "theirsum", "--out", out]);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(/found reduction = fast/)]);
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
    await until("first steps", () => rowsOf(metrics) >= 5);
    process.kill(Math.max(...processesOf(out)), "SIGKILL");
    expect(await ended).not.toBe(0);
    const { finished } = await runAll(tinyConfig({ num_epochs: 400 }), {
      out,
      continue: "onedies0",
      runId: "revived0",
      maxSteps: 40,
    });
    expect(finished.step).toBe(40);
  });

  it.each([
    ["another learning rate", /configuration, lr_max/, ["--set", "lr_max=0.01"]],
    ["other start weights", /option, initFrom/, ["--init-from", "weights.mod"]],
    ["another number of threads", /threads/, [], "ATMOREP_THREADS=2"],
    ["other data under the same name", /data/, ["--data", "store.zarr"], "changed"],
  ])("a process with %s: exit 2 that names it, nothing written", async (_, message, own, second = "") => {
    const out = tempDir();
    const changed = second === "changed";
    const common = ["train", writeTinyConfig(out), "--out", join(out, "new"), "--seed", "3", "--engine", "wasm"];
    for (const folder of ["first", "second"]) {
      const store = join(out, folder, "store.zarr");
      cpSync(join(ROOT, "assets", "storm_199601.zarr"), store, { recursive: true });
      if (folder === "first") continue;
      const [chunk, ...others] = readdirSync(join(store, "data_sfc"))
        .filter((name) => /^\d/.test(name))
        .sort();
      for (const other of others) cpSync(join(store, "data_sfc", chunk), join(store, "data_sfc", other));
    }
    const started = (folder: string, environment: string, args: readonly string[]) => [
      ...["1", "env", "-C", join(out, folder), "ATMOREP_THREADS=1", environment, process.execPath, LAUNCHER],
      ...[...common, ...args],
    ];
    const [program, ...flags] = launcher;
    const both = [
      ...started("first", "A=1", changed ? own : []),
      ...[":", "-n", ...started("second", changed ? "A=1" : second || "A=1", own)],
    ];
    const { code, stderr } = await runProgram(program, [...flags, ...both], undefined, ENV);
    expect(code, stderr).toBe(2);
    expect(stderr).toMatch(/process 1 differs from process 0/);
    expect(stderr).toMatch(message);
    expect(existsSync(join(out, "new"))).toBe(false);
  });

  it("an epoch without a step is refused with its numbers; batches left over are told", async () => {
    const out = tempDir();
    const config = writeTinyConfig(out, { num_samples_per_epoch: 12, batch_size: 4 });
    const args = [config, "--out", join(out, "new"), "--seed", "3", "--max-steps", "1"];
    const none = await together(launcher, 4, args);
    expect(none.code, none.stderr).toBe(2);
    expect(none.stderr).toMatch(/too few batches for one step.*3 batches of 4 samples.*at least 4 batches/s);
    expect(existsSync(join(out, "new"))).toBe(false);
    const some = await together(launcher, 2, args);
    expect(some.code, some.stderr).toBe(0);
    expect(some.stderr + some.stdout).toMatch(/1 batch at the end of each epoch is not trained on: a step takes 2/);
  });

  it("start weights and checkpoints are read by process 0 alone", async () => {
    const out = tempDir();
    const args = [writeTinyConfig(out, { num_samples_per_epoch: 16, ema_decay: 0.9 }), "--out", out, "--seed", "3"];
    const first = await together(launcher, 2, [...args, "--run-id", "readonce", "--max-steps", "1"]);
    expect(first.code, first.stderr).toBe(0);
    const [program, ...flags] = launcher;
    const rest = ["train", "--continue", "readonce", "--run-id", "wentonby", "--out"];
    const elsewhere = ["1", process.execPath, LAUNCHER, ...rest];
    const blind = tempDir();
    mkdirSync(join(blind, "models", "idreadonce"), { recursive: true });
    const name = "model_idreadonce.json";
    copyFileSync(join(out, "models", "idreadonce", name), join(blind, "models", "idreadonce", name));
    const second = await runProgram(
      program,
      [...flags, ...elsewhere, out, ":", "-n", ...elsewhere, blind],
      undefined,
      ENV,
    );
    expect(second.code, second.stderr).toBe(0);
    const unbroken = await together(launcher, 2, [...args, "--run-id", "unbroken"]);
    expect(unbroken.code, unbroken.stderr).toBe(0);
    expect(await stateOf(out, "wentonby")).toEqual(await stateOf(out, "unbroken"));
  });

  it.each([
    ["SIGSTOP", "the last process", Math.max],
    ["SIGSTOP", "the first process", Math.min],
    ["SIGKILL", "the last process", Math.max],
  ] as const)("%s to %s ends the run within its time, with a checkpoint", async (signal, who, choose) => {
    const out = tempDir();
    const env = { ...ENV, ATMOREP_WATCHDOG: "4" };
    const set = { num_epochs: 400, model_log_frequency: 100000 };
    const args = [writeTinyConfig(out, set), "--out", out, "--run-id", "onehangs", "--seed", "3", "--engine", "wasm"];
    const [program, ...rest] = [...launcher, "2", process.execPath, LAUNCHER, "train", ...args];
    const child = spawn(program, rest, { env, stdio: ["ignore", "ignore", "pipe"] });
    let stderr = "";
    child.stderr.on("data", (text) => {
      stderr += text;
    });
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    const { metrics, checkpointDir } = runFolder(out, "onehangs");
    await until("first steps", () => rowsOf(metrics) >= 5);
    const victim = choose(...processesOf(out));
    const began = Date.now();
    process.kill(victim, signal);
    expect(await ended).not.toBe(0);
    expect(Date.now() - began).toBeLessThan(30_000);
    if (signal === "SIGKILL") return;
    expect(stderr).toMatch(new RegExp(`process \\d \\(.*, pid ${victim}\\) silent for 4 s in step \\d+`));
    const { state } = await loadCheckpoint(checkpointDir, "latest");
    const rows = readFileSync(metrics, "utf8").trim().split("\n");
    // the first alone writes: without it the last regular save remains
    const learnt = Math.max(...rows.map((row) => JSON.parse(row).step));
    if (who === "the last process") expect(state.step).toBe(learnt);
    else expect(state.step).toBeLessThanOrEqual(learnt);
    const { finished } = await runAll(tinyConfig(set), {
      ...{ out, continue: "onehangs", runId: "revived1" },
      maxSteps: state.step + 4,
    });
    expect(finished.step).toBe(state.step + 4);
  });

  it("a wrong configuration ends all with exit 2 and nothing written", async () => {
    const out = tempDir();
    const args = [writeTinyConfig(out, { file_path: "missing.zarr" }), "--out", join(out, "new")];
    const { code, stderr } = await together(launcher, 2, args);
    expect(code).toBe(2);
    expect(stderr.match(/^error: .*missing\.zarr/gm)).toHaveLength(1);
    expect(existsSync(join(out, "new"))).toBe(false);
  });
}
