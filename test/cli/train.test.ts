/** `atmorep train` as people and scripts meet it: exit codes, streams, signals, flags. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { loadCheckpoint } from "../../src/runs/checkpoint.js";
import type { TrainEvent } from "../../src/runs/events.js";
import { runFolder } from "../../src/runs/folder.js";
import { readMetrics } from "../../src/runs/metrics.js";
import { readWeights, weightPath } from "../../src/runs/weightFiles.js";
import { atmorep, LAUNCHER, runProgram } from "../support/cli.js";
import { runCli } from "../support/inProcess.js";
import { stateOf } from "../support/runState.js";
import { tempDir } from "../support/tempDir.js";
import { startTraining, step, writeTinyConfig } from "../support/tinyProgram.js";
import { runAll, temporaryFolder, tinyConfig } from "../support/tinyRun.js";

const ENDLESS = { num_epochs: 1000, model_log_frequency: 1000 };

beforeAll(async () => {
  const { code, stderr } = await atmorep(["--version"]);
  expect(code, stderr).toBe(0);
});

const eventsOf = (stdout: string): TrainEvent[] =>
  stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
const consoleLog = (out: string, id: string) => readFileSync(join(out, "results", `id${id}`, "console.log"), "utf8");
const savedSteps = async (out: string, id: string) =>
  (await loadCheckpoint(runFolder(out, id).checkpointDir, "latest")).state.step;

describe("streams", () => {
  it("standard output holds exactly the lines of console.log, progress goes to standard error", async () => {
    const out = tempDir();
    const config = writeTinyConfig(out);
    const { code, stdout, stderr } = await atmorep(["train", config, "--out", out, "--run-id", "stream01"]);
    expect(code).toBe(0);
    expect(stdout).toBe(consoleLog(out, "stream01"));
    expect(stdout).toContain("fields : [['mean_sea_level_pressure'");
    expect(stderr).toMatch(/^run {7}stream01$/m);
    expect(stderr).toMatch(/^times {5}.*would cross a gap: 0 of \d+ training times, 0 of \d+ validation times$/m);
    expect(stderr).toMatch(/^to beat {3}mean_sea_level_pressure \(masked\): /m);
    expect(stderr).toMatch(/^step \d+\/12 {2}loss /m);
    expect(stderr).toMatch(/^Run stream01 finished after step 12/m);
    expect(stderr).not.toContain("\x1b");
  });

  it("with --log short the screen goes to standard output, the log to console.log alone; another word exits 2", async () => {
    const out = tempDir();
    const args = ["train", writeTinyConfig(out), "--out", out, "--run-id", "stream02", "--log", "short"];
    const { code, stdout, stderr } = await atmorep(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^run {7}stream02$/m);
    expect(stdout).toMatch(/^step \d+\/12 {2}loss /m);
    expect(stdout).not.toContain("fields : [[");
    expect(consoleLog(out, "stream02")).toContain("fields : [[");
    const wrong = await atmorep([...args, "--log", "long"]);
    expect(wrong).toMatchObject({ code: 2, stdout: "" });
    expect(wrong.stderr).toMatch(/--log: no such log.*short, reference/s);
  });

  it("with --json standard output holds only events, one JSON line each", async () => {
    const out = tempDir();
    const args = ["train", writeTinyConfig(out), "--out", out, "--json", "--max-steps", "2", "--seed", "5"];
    const { code, stdout, stderr } = await atmorep(args);
    expect(code).toBe(0);
    const events = eventsOf(stdout);
    expect(events.map(({ type }) => type).filter((type) => type !== "console")).toEqual([
      "started",
      "epoch",
      "step",
      "step",
      "saved",
      "validated",
      "saved",
      "finished",
    ]);
    expect(events[0]).toMatchObject({ config: { torch_seed: 5, rng_seed: 5 } });
    expect(events.at(-1)).toMatchObject({ type: "finished", reason: "max-steps", step: 2 });
    expect(stderr).not.toContain("rror");
  });

  it("goes on training when the reader of its output goes away", async () => {
    const out = tempDir();
    const command = `"${process.execPath}" "${LAUNCHER}" train "${writeTinyConfig(out)}" --out "${out}" --run-id pipe0001`;
    const { stdout } = await runProgram("bash", ["-c", `{ ${command} 2>&1; echo "exit $?" >&2; } | head -n 1`]);
    expect(stdout.split("\n").length).toBe(2);
    expect((await readMetrics(runFolder(out, "pipe0001").metrics)).length).toBe(14);
    const json = await runProgram("bash", [
      "-c",
      `set -o pipefail; ${command.replace("pipe0001", "pipe0002")} --json | head -n 1`,
    ]);
    expect(json).toMatchObject({ code: 0, stderr: "" });
    expect(await stateOf(out, "pipe0002")).toEqual(await stateOf(out, "pipe0001"));
  });

  it("a terminal gets the short screen; its last part fits 25 rows of 80 columns", async () => {
    const out = tempDir();
    const command = `stty cols 80 rows 25; "${process.execPath}" "${LAUNCHER}" train "${writeTinyConfig(out)}" --out "${out}" --run-id screen01`;
    const { code, stdout } = await runProgram("script", ["-qec", command, "/dev/null"]);
    expect(code).toBe(0);
    expect(stdout).not.toContain("fields : [[");
    expect(consoleLog(out, "screen01")).toContain("fields : [[");
    expect(stdout).toMatch(/\[#+\.*\] \d+\/12 {2}loss .* \d:\d\d left {2}lr /);
    const lines = stdout.replaceAll("\r", "").trimEnd().split("\n");
    const last = lines.slice(lines.findIndex((line) => line.includes("Run screen01 finished")));
    expect(last.reduce((rows, line) => rows + Math.max(1, Math.ceil(line.length / 80)), 0)).toBeLessThanOrEqual(25);
    const text = last.join("\n");
    for (const part of ["validation RMSE", "model", "results  ", "models   ", "Try next:"])
      expect(text).toContain(part);
    expect(last.filter((line) => line.startsWith("  npx atmorep ")).length).toBe(3);
    expect(text).toContain(`--continue screen01 --set num_epochs=4 --out ${out}`);
  });
});

describe("signals", () => {
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
    ["SIGUSR1", 138],
  ] as const)("%s saves a checkpoint and exits %i; the run goes on from there", async (signal, code) => {
    const out = tempDir();
    const running = startTraining([writeTinyConfig(out, ENDLESS), "--out", out, "--run-id", "signal01"]);
    await step(running, 3);
    running.child.kill(signal);
    const ended = await running.ended;
    expect(ended).toMatchObject({ code, signal: null });
    expect(ended.stderr).toContain(`${signal}: saving a checkpoint`);
    const finished = eventsOf(ended.stdout).at(-1);
    expect(finished).toMatchObject({ type: "finished", reason: "interrupted" });
    const steps = finished?.type === "finished" ? finished.step : 0;
    expect(await savedSteps(out, "signal01")).toBe(steps);
    const config = tinyConfig(ENDLESS);
    const maxSteps = steps + 2;
    await runAll(config, { out, runId: "signal02", continue: "signal01", maxSteps });
    await runAll(config, { out, runId: "unbroken", maxSteps });
    expect(await stateOf(out, "signal02")).toEqual(await stateOf(out, "unbroken"));
  });

  it("a second signal ends at once, without saving", async () => {
    const out = tempDir();
    // steps long enough that both signals come within one
    const config = writeTinyConfig(out, { ...ENDLESS, batch_size: 100, num_samples_per_epoch: 600 });
    const running = startTraining([config, "--out", out, "--run-id", "second01"]);
    await step(running, 1);
    running.child.kill("SIGINT");
    running.child.kill("SIGTERM");
    const { code, stdout } = await running.ended;
    // two signals that are pending together may be handled in either order
    expect([130, 143]).toContain(code);
    expect(eventsOf(stdout).some(({ type }) => type === "finished")).toBe(false);
    expect(await savedSteps(out, "second01")).toBe(0);
  });
});

describe("flags", () => {
  const train = (out: string, ...args: string[]) => runCli("train", ...args, "--out", out);
  let base: string;
  beforeAll(async () => {
    base = temporaryFolder();
    expect((await train(base, writeTinyConfig(base), "--run-id", "base0001")).code).toBe(0);
  });

  it("--dry-run writes nothing and tells the plan, also as JSON", async () => {
    const out = tempDir();
    const config = writeTinyConfig(out);
    const { code, stdout } = await train(out, config, "--dry-run");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^parameters {3}\d/m);
    expect(stdout).toMatch(/^steps {8}12 \(2 epochs of 6\)$/m);
    expect(stdout).toContain("mean_sea_level_pressure  tokens [B, L, N, D] = [2, 1, 36, 108]");
    const json = JSON.parse((await train(out, config, "--dry-run", "--json", "--max-steps", "5")).stdout);
    expect(json).toMatchObject({ steps: 5, stepsPerEpoch: 6 });
    expect(readdirSync(out)).toEqual(["tiny.json"]);
  });

  it("--dry-run --ranks predicts a step on 1, 2, 3 processes from one that it times, also as JSON", async () => {
    const out = tempDir();
    const config = writeTinyConfig(out);
    const { code, stdout } = await train(out, config, "--dry-run", "--ranks", "3", "--network", "100");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^scaling {6}predicted, .* timed here with \d+ threads?$/m);
    expect(stdout).toMatch(/^network {6}100 Gbit\/s of each process/m);
    expect(stdout).toMatch(/^ +1 .* 100 % +100 %\n +2 .* -\n +3 .* %\nlimit /m);
    const { scaling } = JSON.parse((await train(out, config, "--dry-run", "--json", "--ranks", "3")).stdout);
    expect(scaling.predictions.map((row: { processes: number }) => row.processes)).toEqual([1, 2, 3]);
    expect(scaling.costs.gradients).toBeGreaterThan(0);
    expect(scaling.costs.gradientBytes).toBe(
      4 * JSON.parse((await train(out, config, "--dry-run", "--json")).stdout).parameters,
    );
    const wrong = await train(out, config, "--dry-run", "--ranks", "3", "--network", "fast");
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("--network 100");
    expect((await train(out, config, "--network", "100")).stderr).toContain("plan and start nothing");
  });

  it("--max-time stops in time, validates and exits 0", async () => {
    const out = tempDir();
    const config = writeTinyConfig(out, ENDLESS);
    const { code, stdout } = await train(out, config, "--run-id", "maxtime1", "--max-time", "1s", "--json");
    expect(code).toBe(0);
    expect(eventsOf(stdout).at(-1)).toMatchObject({ type: "finished", reason: "max-time" });
    const rows = await readMetrics(runFolder(out, "maxtime1").metrics);
    expect(Object.keys(rows.at(-1) ?? {})).toContain("val. loss BERT");
  });

  it("--overfit repeats the same samples", async () => {
    const out = tempDir();
    const args = [writeTinyConfig(out), "--run-id", "overfit1", "--overfit", "3", "--set", "dropout_rate=0"];
    expect(
      (
        await train(
          out,
          ...args,
          "--max-steps",
          "2",
          "--set",
          "lr_start=1e-30",
          "--set",
          "lr_max=1e-30",
          "--set",
          "lr_min=1e-30",
        )
      ).code,
    ).toBe(0);
    const rows = await readMetrics(runFolder(out, "overfit1").metrics);
    expect(rows.map(({ samples }) => samples).slice(0, 2)).toEqual([3, 6]);
    expect(rows[1]["training loss"]).toBe(rows[0]["training loss"]);
  });

  it("--run-id of a run that exists exits 2 and changes nothing", async () => {
    const before = await stateOf(base, "base0001");
    const { code, stderr } = await train(base, writeTinyConfig(base), "--run-id", "base0001");
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: .*idbase0001: a run with this id exists already\. Choose another --run-id/m);
    expect(await stateOf(base, "base0001")).toEqual(before);
  });

  it("--continue takes up latest or best under a new id, --in-place under the same", async () => {
    const more = ["--set", "num_epochs=3"];
    await runAll(tinyConfig({ num_epochs: 3 }), { out: base, runId: "unbroken" });
    expect((await train(base, "--continue", "base0001", "--run-id", "goeson01", ...more)).code).toBe(0);
    expect((await train(base, "--continue", "base0001@latest", "--run-id", "goeson02", ...more)).code).toBe(0);
    expect((await train(base, "--continue", "base0001@best", "--run-id", "goeson03", ...more)).code).toBe(0);
    expect((await train(base, "--continue", "goeson01", "--in-place", "--set", "num_epochs=4")).code).toBe(0);
    const unbroken = await stateOf(base, "unbroken");
    expect(await stateOf(base, "goeson02")).toEqual(unbroken);
    expect(await stateOf(base, "goeson03")).toEqual(unbroken);
    expect(await savedSteps(base, "goeson01")).toBe(24);
    expect(existsSync(weightPath(runFolder(base, "goeson01").modelsDir, "goeson01", 3))).toBe(true);
    const finished = await train(base, "--continue", "base0001", "--run-id", "goeson04");
    expect(finished).toMatchObject({ code: 2, stderr: expect.stringContaining("--set num_epochs=8") });
  });

  it("--init-from takes the weights of a run, of an epoch or of a file", async () => {
    const { modelsDir } = runFolder(base, "base0001");
    const file = weightPath(modelsDir, "base0001", 0);
    const safe = join(base, "epoch0.safetensors");
    expect((await runCli("weights", "convert", file, safe)).code).toBe(0);
    const lossAfter = async (id: string, from: string) => {
      const config = writeTinyConfig(base, { test_initial: true });
      const { code, stderr } = await train(base, config, "--run-id", id, "--init-from", from, "--max-steps", "1");
      expect(code, stderr).toBe(0);
      return (await readMetrics(runFolder(base, id).metrics))[0]["val. loss BERT"];
    };
    const former = (await readMetrics(runFolder(base, "base0001").metrics)).filter((row) => "val. loss BERT" in row);
    expect(await lossAfter("init0001", "base0001@0")).toBe(former[0]["val. loss BERT"]);
    expect(await lossAfter("init0002", file)).toBe(former[0]["val. loss BERT"]);
    expect(await lossAfter("init0003", safe)).toBe(former[0]["val. loss BERT"]);
    expect(await lossAfter("init0004", "base0001")).toBe(former[1]["val. loss BERT"]);
  });

  it("--seed decides every number", async () => {
    const out = tempDir();
    const config = writeTinyConfig(out, { torch_seed: null, rng_seed: null });
    const weightsOf = async (id: string, seed: string) => {
      expect((await train(out, config, "--run-id", id, "--seed", seed, "--max-steps", "1")).code).toBe(0);
      return readWeights(weightPath(runFolder(out, id).modelsDir, id, "latest"));
    };
    const first = await weightsOf("seed0001", "7");
    expect(await weightsOf("seed0002", "7")).toEqual(first);
    expect(await weightsOf("seed0003", "8")).not.toEqual(first);
  });

  it("a run that fails exits 1 and names the step, the loss term and the field", async () => {
    const out = tempDir();
    // the largest that the configuration lets pass: weights grow a million times a step
    const rates = ["lr_start", "lr_max", "lr_min", "weight_decay"].flatMap((key) => ["--set", `${key}=1000`]);
    const { code, stderr } = await train(out, writeTinyConfig(out), "--run-id", "fails001", ...rates);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: step \d+: .*NaN or infinite/m);
    expect(stderr).toContain("mean_sea_level_pressure");
    expect(stderr).not.toMatch(/^ {4}at /m);
    expect(await savedSteps(out, "fails001")).toBeGreaterThan(0);
  });
});
