/** `train --resume`, and a job that Slurm starts anew: the same command again and again, to the end of one run. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { runFolder } from "../../src/runs/folder.js";
import { atmorep } from "../support/cli.js";
import { stateOf } from "../support/runState.js";
import { tempDir } from "../support/tempDir.js";
import { startTraining, step, writeTinyConfig } from "../support/tinyProgram.js";

beforeAll(async () => {
  const { code, stderr } = await atmorep(["--version"]);
  expect(code, stderr).toBe(0);
});

const inJob = (id: string, restarts: number) => ({
  ...process.env,
  SLURM_JOB_ID: id,
  SLURM_RESTART_COUNT: String(restarts),
});
const readEnd = (out: string, id: string) => readFileSync(`${runFolder(out, id).resultsDir}/end.json`, "utf8");

it("a job that is killed and started anew goes on under its id; another job of that id is refused", async () => {
  const out = tempDir();
  const args = [writeTinyConfig(out), "--out", out, "--seed", "3"];
  const first = startTraining([...args, "--run-id", "requeued"], inJob("31", 0));
  await step(first, 5);
  first.child.kill("SIGKILL");
  await first.ended;
  const other = await atmorep(["train", ...args, "--run-id", "requeued"], undefined, inJob("32", 1));
  expect(other.code).toBe(2);
  expect(other.stderr).toContain("a run with this id exists already");
  const second = await atmorep(["train", ...args, "--run-id", "requeued"], undefined, inJob("31", 1));
  expect(second.code, second.stderr).toBe(0);
  expect(second.stderr).toMatch(/^run requeued goes on$/m);
  const whole = await atmorep(["train", ...args, "--run-id", "unbroken"]);
  expect(whole.code, whole.stderr).toBe(0);
  expect(await stateOf(out, "requeued")).toEqual(await stateOf(out, "unbroken"));
});

it("--resume begins a run, goes on with it, and leaves one that has ended as it is", async () => {
  const out = tempDir();
  const args = ["train", writeTinyConfig(out), "--out", out, "--seed", "3", "--run-id", "chained0", "--resume"];
  const steps = ["--max-steps", "4"];
  for (const more of [["--max-time", "0.001s"], steps, steps, []]) {
    const { code, stderr } = await atmorep([...args, ...more]);
    expect(code, stderr).toBe(0);
  }
  const end = readEnd(out, "chained0");
  expect(JSON.parse(end)).toMatchObject({ reason: "completed", step: 12 });
  const again = await atmorep(args);
  expect(again.code, again.stderr).toBe(0);
  expect(again.stderr).toContain("run chained0 has ended already (completed, 12 steps): nothing to do");
  expect(readEnd(out, "chained0")).toBe(end);
  const longer = await atmorep([...args, "--set", "num_epochs=3"]);
  expect(longer.code, longer.stderr).toBe(0);
  expect(JSON.parse(readEnd(out, "chained0"))).toMatchObject({ reason: "completed", step: 18 });
});

it("--resume marks the end of a run that was killed before it could, also by a number of steps", async () => {
  for (const [id, more, reason] of [
    ["killed00", [], "completed"],
    ["killed01", ["--max-steps", "6"], "max-steps"],
  ] as const) {
    const out = tempDir();
    const args = ["train", writeTinyConfig(out), "--out", out, "--seed", "3", "--run-id", id, "--resume", ...more];
    expect((await atmorep(args)).code).toBe(0);
    const end = readEnd(out, id);
    rmSync(join(runFolder(out, id).resultsDir, "end.json"));
    const before = await stateOf(out, id);
    const again = await atmorep(args);
    expect(again.code, again.stderr).toBe(0);
    expect(again.stderr).toContain(`run ${id} has ended already (${reason}, `);
    expect(readEnd(out, id)).toBe(end);
    expect(await stateOf(out, id)).toEqual(before);
  }
});

it("--resume needs the id of a run", async () => {
  const out = tempDir();
  const { code, stderr } = await atmorep(["train", writeTinyConfig(out), "--out", `${out}/new`, "--resume"]);
  expect(code).toBe(2);
  expect(stderr).toContain("--resume needs the id of the run");
  expect(existsSync(`${out}/new`)).toBe(false);
});
