import { existsSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { atmorep, ROOT, runProgram } from "../support/cli.js";
import { stateOf } from "../support/runState.js";
import { tempDir } from "../support/tempDir.js";
import { writeTinyConfig } from "../support/tinyProgram.js";
import { ENV, installed, MPICH, OPEN_MPI, together } from "./training.js";

const launchers = [OPEN_MPI, MPICH].filter(installed);

/** Dropout and an average are in every tiny configuration; two steps of four batches. */
const BASE = { num_samples_per_epoch: 16, num_epochs: 1 };
const PLAIN = { ...BASE, freeze: ["*embeds*"] };
const place = [
  [4, 3, 3],
  [3, 6, 6],
  [0.5, 0.9, 0.4, 0.3],
] as const;
const COUPLED = {
  ...BASE,
  fields: [
    ["velocity_u", [1, 24, ["mean_sea_level_pressure"], 0], [500], ...place],
    ["mean_sea_level_pressure", [1, 24, ["velocity_u"], 0], [0], ...place],
  ],
  fields_prediction: [
    ["velocity_u", 0.5],
    ["mean_sea_level_pressure", 0.5],
  ],
};

beforeAll(async () => {
  expect(launchers.length, "install Open MPI: apt-get install openmpi-bin").toBeGreaterThan(0);
  const { code, stderr } = await atmorep(["--version"]);
  expect(code, stderr).toBe(0);
});

describe("the bits of one process that accumulates four batches", () => {
  it.each([
    ["a field, frozen embeddings", PLAIN],
    ["two coupled fields", COUPLED],
  ])("%s", async (_, set) => {
    const out = tempDir();
    const args = [writeTinyConfig(out, set), "--out", out, "--seed", "3"];
    const alone = await atmorep(["train", ...args, "--run-id", "onealone", "--set", "grad_accumulation=4"]);
    expect(alone.code, alone.stderr).toBe(0);
    const expected = await stateOf(out, "onealone");
    const zero = ["--set", "optimizer_zero=true"];
    for (const [id, launcher, size, more] of [
      ["twoprocs", launchers[0], 2, []],
      ["zerotwo2", launchers.at(-1)!, 2, zero],
      ["fourproc", launchers.at(-1)!, 4, []],
      ["zerofour", launchers[0], 4, zero],
    ] as const) {
      const set = ["--set", `grad_accumulation=${4 / size}`];
      const { code, stderr } = await together(launcher, size, [...args, "--run-id", id, ...set, ...more]);
      expect(code, stderr).toBe(0);
      expect(await stateOf(out, id)).toEqual(expected);
    }
  });

  it("with optimizer_zero, stopped on 4 processes and continued on 2", async () => {
    const out = tempDir();
    const args = [writeTinyConfig(out, { ...PLAIN, optimizer_zero: true }), "--out", out, "--seed", "3"];
    const unbroken = await together(launchers[0], 4, [...args, "--run-id", "unbroken"]);
    expect(unbroken.code, unbroken.stderr).toBe(0);
    const first = await together(launchers[0], 4, [...args, "--run-id", "stopped0", "--max-steps", "1"]);
    expect(first.code, first.stderr).toBe(0);
    const rest = ["--continue", "stopped0", "--out", out, "--run-id", "wentonby", "--set", "grad_accumulation=2"];
    const second = await together(launchers[0], 2, rest);
    expect(second.code, second.stderr).toBe(0);
    expect(await stateOf(out, "wentonby")).toEqual(await stateOf(out, "unbroken"));
  });
});

describe.each(launchers.map((launcher) => [launcher[0], launcher] as const))("%s", (_, launcher) => {
  it("the library's own sum learns the same from two batches, whose sum has one order", async () => {
    const out = tempDir();
    const args = [writeTinyConfig(out, BASE), "--out", out, "--seed", "3"];
    for (const reduction of ["tree", "fast"]) {
      const run = ["--run-id", `by${reduction}00`, "--set", `reduction=${reduction}`];
      const { code, stderr } = await together(launcher, 2, [...args, ...run]);
      expect(code, stderr).toBe(0);
    }
    expect(await stateOf(out, "byfast00")).toEqual(await stateOf(out, "bytree00"));
  });

  it("who waits for another process uses no core", async () => {
    const script = `
      const { openCommunicator } = await import(${JSON.stringify(join(ROOT, "dist", "distributed", "index.js"))});
      const communicator = await openCommunicator();
      await communicator.gather(null);
      const used = process.cpuUsage();
      if (communicator.rank === 0) await new Promise((resolve) => setTimeout(resolve, 4000));
      await communicator.broadcast(null);
      const { user, system } = process.cpuUsage(used);
      if (communicator.rank === 1) console.log("used " + (user + system) / 1e6);
      await communicator.close();
      process.exit();`;
    const [program, ...flags] = [...launcher, "2", process.execPath, "--input-type=module", "-e", script];
    const { code, stdout, stderr } = await runProgram(program, flags, undefined, ENV);
    expect(code, stderr).toBe(0);
    expect(Number(/used (\S+)/.exec(stdout)?.[1])).toBeLessThan(1);
  });

  it.each([
    ["with_ddp: false", { with_ddp: false }, /with_ddp.*not to be shared/],
    ["optimizer_zero with save_grads", { optimizer_zero: true, save_grads: true }, /save_grads.*no process has/],
  ])("%s is refused, nothing written", async (_, set, message) => {
    const out = tempDir();
    const args = [writeTinyConfig(out, set), "--out", join(out, "new")];
    const { code, stderr } = await together(launcher, 2, args);
    expect(code, stderr).toBe(2);
    expect(stderr).toMatch(message);
    expect(existsSync(join(out, "new"))).toBe(false);
  });

  it("a number that is not finite ends all with the process it is in, the last good state saved", async () => {
    const out = tempDir();
    const high = {
      lr_start: 1000,
      lr_max: 1000,
      lr_min: 1000,
      weight_decay: 1000,
      optimizer_zero: true,
      num_epochs: 9,
    };
    const args = [writeTinyConfig(out, high), "--out", out, "--run-id", "nan00001", "--seed", "3"];
    const { code, stderr } = await together(launcher, 2, args);
    expect(code, stderr).toBe(1);
    expect(stderr).toMatch(/process \d: .*NaN or infinite/);
    const { state, params, metrics } = await stateOf(out, "nan00001");
    expect(state.step).toBe(Math.max(...metrics.map(({ step }) => Number(step))));
    expect([...params.values()].every(({ data }) => data.every(Number.isFinite))).toBe(true);
  });
});
