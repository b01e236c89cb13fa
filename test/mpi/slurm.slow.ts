/** Jobs of a real Slurm: requeued, signalled before their limit, in chains and arrays. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runFolder } from "../../src/runs/folder.js";
import { atmorep, ROOT } from "../support/cli.js";
import { stateOf } from "../support/runState.js";
import {
  jobEnd,
  rowsOf,
  type Slurm,
  script,
  slurm,
  startAgain,
  startSlurm,
  submitFolder,
  until,
} from "../support/slurm.js";
import { tempDir } from "../support/tempDir.js";
import { writeTinyConfig } from "../support/tinyProgram.js";
import { temporaryFolder } from "../support/tinyRun.js";

let cluster: Slurm;
beforeAll(async () => {
  cluster = startSlurm(temporaryFolder(), 4);
  const { code, stderr } = await atmorep(["--version"]);
  expect(code, stderr).toBe(0);
});
afterAll(() => cluster?.stop());

const idOf = (dir: string, job: string) => readFileSync(join(dir, "output", `output_${job}.txt`), "utf8").trim();
const logOf = (dir: string, job: string, kind: "out" | "err") => {
  const name = readdirSync(join(dir, "logs")).find((file) => file.endsWith(`.${job}.${kind}`));
  return readFileSync(join(dir, "logs", String(name)), "utf8");
};
// jobs live as long as is looked at them, on a fast machine too
const UNHURRIED = { NODE_OPTIONS: `--import=${pathToFileURL(join(ROOT, "test/support/slowSteps.mjs"))}` };
const UNBROKEN = { num_samples_per_epoch: 48, num_epochs: 6, model_log_frequency: 6 };

it("a job of two tasks that is requeued and then signalled ends with the numbers of an unbroken run", async () => {
  const dir = submitFolder(tempDir());
  const config = writeTinyConfig(dir, UNBROKEN);
  const run = (...command: string[]) => slurm(cluster.env, dir, ...command);

  const train = [script("train.sbatch"), config, "--seed", "3", "--engine", "wasm"];
  const submit = ["sbatch", "--parsable", "--ntasks=2", ...train];
  const job = await slurm({ ...cluster.env, ...UNHURRIED }, dir, ...submit);
  const id = await until("the run's id", () => {
    try {
      return idOf(dir, job);
    } catch {
      return null;
    }
  });
  const { metrics } = runFolder(dir, id);
  await until("first steps", () => rowsOf(metrics) >= 8);
  await run("scontrol", "requeue", job);
  await startAgain(cluster, dir, job);
  await until("it goes on", () => logOf(dir, job, "err").includes(`run ${id} goes on`));
  const before = rowsOf(metrics);
  await until("further steps", () => rowsOf(metrics) >= before + 6);
  await run("scancel", "--batch", "--signal=USR1", job);
  await startAgain(cluster, dir, job);
  expect(await jobEnd(cluster, dir, job), logOf(dir, job, "err")).toEqual({ state: "COMPLETED", code: 0 });
  expect(idOf(dir, job)).toBe(id);
  const [out, err] = [logOf(dir, job, "out"), logOf(dir, job, "err")];

  expect(out.match(new RegExp(`^wandb_id : ${id}$`, "gm"))).toHaveLength(3);
  expect(err).toContain("SIGUSR1: saving a checkpoint");
  expect(err).toContain(`run ${id} is saved, and this job goes on with it`);
  const whole = ["--set", "grad_accumulation=2", "--out", dir, "--run-id", "unbroken"];
  const alone = await atmorep(["train", config, "--seed", "3", "--engine", "wasm", ...whole]);
  expect(alone.code, alone.stderr).toBe(0);
  expect(await stateOf(dir, id)).toEqual(await stateOf(dir, "unbroken"));
  // once more, after its end
  await run("scontrol", "requeue", job);
  await startAgain(cluster, dir, job);
  expect(await jobEnd(cluster, dir, job), logOf(dir, job, "err")).toEqual({ state: "COMPLETED", code: 0 });
  expect(logOf(dir, job, "err")).toContain(`run ${id} has ended already (completed, 72 steps): nothing to do`);
});

it("atmorep slurm writes a chain of jobs that goes on with one run", async () => {
  const dir = submitFolder(tempDir());
  const config = writeTinyConfig(dir, UNBROKEN);
  const args = ["slurm", config, "--seed", "3", "--run-id", "chained1", "--chain", "2", "--time", "20"];
  const written = await atmorep(args, dir);
  expect(written.code, written.stderr).toBe(0);
  expect(written.stdout).toMatch(/^memory .*^steps {8}144 \(6 epochs of 24\)$/ms);
  const submit = String(/^Submit it from here: (.*)$/m.exec(written.stdout)?.[1]);
  await slurm({ ...cluster.env, ...UNHURRIED }, dir, "bash", "-c", submit);
  const jobs = await until("both jobs", async () => {
    const shown = (await slurm(cluster.env, dir, "squeue", "--noheader", "--format=%i", "--name=train_chained1")).split(
      "\n",
    );
    return shown.length === 2 ? shown.sort((a, b) => Number(a) - Number(b)) : null;
  });
  await until("first steps", () => rowsOf(runFolder(dir, "chained1").metrics) >= 8);
  await slurm(cluster.env, dir, "scancel", "--batch", "--signal=USR1", jobs[0]);
  expect(await jobEnd(cluster, dir, jobs[0])).toEqual({ state: "FAILED", code: 138 });
  expect(await jobEnd(cluster, dir, jobs[1]), logOf(dir, jobs[1], "err")).toEqual({ state: "COMPLETED", code: 0 });
  expect(jobs.map((job) => idOf(dir, job))).toEqual(["chained1", "chained1"]);
  const whole = await atmorep(["train", config, "--seed", "3", "--out", dir, "--run-id", "unbroken"]);
  expect(whole.code, whole.stderr).toBe(0);
  expect(await stateOf(dir, "chained1")).toEqual(await stateOf(dir, "unbroken"));
});

it("a job array of settings ends in one table", async () => {
  const dir = submitFolder(tempDir());
  const config = writeTinyConfig(dir);
  writeFileSync(join(dir, "sweep.txt"), "--set lr_max=0.002\n--set lr_max=0.004 --set dropout_rate=0.2\n");
  const submit = (...args: string[]) =>
    slurm({ ...cluster.env, ATMOREP_SWEEP: "sweep.txt" }, dir, "sbatch", "--parsable", ...args);
  const train = [script("train.sbatch"), config, "--seed", "3", "--max-steps", "2"];
  const array = await submit("--array=1-2", ...train);
  const compare = `node_modules/.bin/atmorep runs compare $(cat output/array_${array}_*.txt)`;
  const job = await submit(`--dependency=afterok:${array}`, "--output=logs/sweep.out", "--wrap", compare);
  expect(await jobEnd(cluster, dir, job)).toEqual({ state: "COMPLETED", code: 0 });
  const table = readFileSync(join(dir, "logs", "sweep.out"), "utf8");
  expect(table).toMatch(/^lr_max +0\.002 +0\.004$/m);
  expect(table).toMatch(/^dropout_rate +0\.1 +0\.2$/m);
});

it("a job array evaluates in parts, and a last job ends it", async () => {
  const dir = submitFolder(tempDir());
  const train = ["train", writeTinyConfig(dir, { num_samples_validate: 12 }), "--seed", "3", "--engine", "wasm"];
  const trained = await atmorep([...train, "--max-steps", "1", "--out", dir, "--run-id", "learnt01"]);
  expect(trained.code, trained.stderr).toBe(0);
  const evaluate = `node_modules/.bin/atmorep evaluate learnt01 --engine wasm --run-id`;
  const submit = (...args: string[]) =>
    slurm(cluster.env, dir, "sbatch", "--parsable", "--output=logs/%A.%a.out", ...args);
  const array = await submit("--array=1-3", "--wrap", `${evaluate} parted01 --part $SLURM_ARRAY_TASK_ID/3`);
  const end = "node_modules/.bin/atmorep evaluate --finalise parted01";
  const job = await submit(`--dependency=afterok:${array}`, "--output=logs/end.out", "--wrap", end);
  expect(await jobEnd(cluster, dir, job)).toEqual({ state: "COMPLETED", code: 0 });
  const alone = await atmorep(["evaluate", "learnt01", "--engine", "wasm", "--run-id", "single01"], dir);
  expect(alone.code, alone.stderr).toBe(0);
  const scores = (id: string) =>
    readFileSync(join(dir, "results", `id${id}`, "scores.json"), "utf8").replaceAll(id, "ID");
  expect(scores("parted01")).toBe(scores("single01"));
  expect(readFileSync(join(dir, "logs", "end.out"), "utf8")).toContain("run learnt01@latest, BERT, 12 samples");
});
