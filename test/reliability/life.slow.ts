/**
 * Lives of runs: random sequences of what people do to them (train, stop, kill, continue, evaluate, convert, delete, two at
 * once), each a real process, beside a model of what must be there. Whatever happened, every run's numbers are those of the
 * one run that nobody disturbed. ATMOREP_LIVES says how many lives, ATMOREP_PROPERTY_SEED which.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { checkpointFiles, loadCheckpoint } from "../../src/runs/checkpoint.js";
import { runFolder } from "../../src/runs/folder.js";
import { listRuns } from "../../src/runs/list.js";
import { readMetrics } from "../../src/runs/metrics.js";
import { readWeights, weightPath } from "../../src/runs/weightFiles.js";
import { atmorep, LAUNCHER, type Outcome, runProgram } from "../support/cli.js";
import fc from "../support/property.js";
import { countFromEnv, startTraining, writeTinyConfig } from "../support/tinyProgram.js";
import { runAll, tinyConfig } from "../support/tinyRun.js";

/** Three epochs of three steps, each of two batches of one process, or one of each of two; a checkpoint after every step. */
const SET = {
  num_samples_per_epoch: 12,
  num_samples_validate: 2,
  num_epochs: 3,
  model_log_frequency: 1,
  grad_accumulation: 2,
  num_loader_workers: 0,
};
const STEPS = 9;
const LIVES = countFromEnv("ATMOREP_LIVES", 2);
/** commands a life */
const LENGTH = 12;
const MPIRUN = ["--bind-to", "none", "--oversubscribe", "-n", "2", process.execPath, LAUNCHER];
const MPI_ENV = { ...process.env, OMPI_ALLOW_RUN_AS_ROOT: "1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1" };

const root = mkdtempSync(join(tmpdir(), "atmorep-lives-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Digest of the checkpoint after each step of the run that nobody disturbs, and its rows. */
const digests = new Map<number, string>();
let rows: Record<string, unknown>[] = [];
let config: string;

const rowsOf = async (out: string, id: string) =>
  (await readMetrics(runFolder(out, id).metrics)).map(({ time: _time, ...row }) => row);

interface Found {
  step: number;
  epoch: number;
  metricsRows: number;
  digest: string;
}

async function digestOf(out: string, id: string): Promise<Found> {
  const { state, params, moments, ema, fault } = await loadCheckpoint(runFolder(out, id).checkpointDir, "latest");
  expect(fault, "the newest checkpoint is whole").toBe(null);
  const hash = createHash("sha256").update(String(moments.updates));
  for (const group of [params, moments.m, moments.v, ema ?? new Map()]) {
    for (const [name, { data }] of group) hash.update(name).update(data);
  }
  const { step, epoch, metricsRows } = state;
  return { step, epoch, metricsRows, digest: hash.digest("hex") };
}

beforeAll(async () => {
  const { code, stderr } = await atmorep(["--version"]);
  expect(code, stderr).toBe(0);
  config = writeTinyConfig(root, SET);
  const out = join(root, "undisturbed");
  for (let steps = 1; steps <= STEPS; steps++) {
    const from = steps === 1 ? { runId: "unbroken" } : { continue: "unbroken", inPlace: true };
    if (steps < STEPS) await runAll(tinyConfig(SET), { out, ...from, engine: "wasm", maxSteps: steps });
    else await runAll(tinyConfig(SET), { out, ...from, engine: "wasm" });
    const { step, digest } = await digestOf(out, "unbroken");
    digests.set(step, digest);
  }
  // in one go: what the others are held to
  const { finished } = await runAll(tinyConfig(SET), { out, runId: "inonego0", engine: "wasm" });
  expect(finished.step).toBe(STEPS);
  expect((await digestOf(out, "inonego0")).digest).toBe(digests.get(STEPS));
  rows = await rowsOf(out, "inonego0");
});

/** What must be there. */
interface Model {
  /** steps of the newest checkpoint; null: there is none, or it cannot be known before one looks */
  runs: Map<string, number | null>;
  /** runs whose last epoch is validated: they are not continued */
  finished: Set<string>;
  evaluations: Set<string>;
}

/** The folder of a life, and what was done in it. */
interface Real {
  out: string;
  made: number;
  done: string[];
}

type Ending =
  | { kind: "steps"; more: number }
  | { kind: "whole" }
  | { kind: "signal"; signal: "SIGINT" | "SIGTERM" | "SIGKILL"; event: number; milliseconds: number };

const codes = { SIGINT: 130, SIGTERM: 143, SIGKILL: null };
const newId = (real: Real, letter: string) => `${letter}${String(++real.made).padStart(7, "0")}`;
const hasCheckpoint = (out: string, id: string) =>
  checkpointFiles(runFolder(out, id).checkpointDir, "latest").some((path) => existsSync(path));

/** What holds of every run at any time between two commands. */
async function look(model: Model, { out }: Real): Promise<void> {
  const listed = (await listRuns(out)).map(({ id }) => id).sort();
  expect(listed).toEqual([...model.runs.keys(), ...model.evaluations].sort());
  for (const [id, known] of model.runs) {
    const { modelsDir, resultsDir } = runFolder(out, id);
    const own = await rowsOf(out, id);
    const steps = own.filter((row) => !isValidation(row)).map(({ step }) => step as number);
    expect(steps, "rows of steps are there once, in their order").toEqual(steps.map((_, i) => i + 1));
    for (const row of own.filter((each) => !isValidation(each))) {
      expect(row).toEqual(rows.find((other) => !isValidation(other) && other.step === row.step));
    }
    if (!hasCheckpoint(out, id)) {
      expect(known, "a checkpoint is gone").toBe(null);
      continue;
    }
    const { step, epoch, digest, metricsRows } = await digestOf(out, id);
    if (known !== null) expect(step, "the step of the checkpoint").toBe(known);
    model.runs.set(id, step);
    expect(own.slice(0, metricsRows), "rows up to the checkpoint").toEqual(rows.slice(0, metricsRows));
    if (step > 0) expect(digest, `numbers after step ${step}`).toBe(digests.get(step));
    for (const tag of ["latest", "best"] as const) {
      if (existsSync(weightPath(modelsDir, id, tag))) await readWeights(weightPath(modelsDir, id, tag));
    }
    if (epoch === SET.num_epochs) {
      expect(own).toEqual(rows);
      model.finished.add(id);
    }
    expect(readdirSync(resultsDir)).toContain(`model_id${id}.json`);
  }
}

const isValidation = (row: Record<string, unknown>): boolean =>
  Object.keys(row).some((name) => name.startsWith("val. loss"));

/** Trains until the ending, in this many processes. @returns the exit code, null for one that was killed */
async function trains(args: string[], ending: Ending, from: number, processes: 1 | 2, real: Real): Promise<Outcome> {
  const flags = ["--out", real.out, "--engine", "wasm"];
  if (ending.kind === "steps") flags.push("--max-steps", String(Math.max(1, from + ending.more)));
  if (processes === 2) {
    return runProgram(
      "mpirun.openmpi",
      [...MPIRUN, "train", ...args, ...flags, "--set", "grad_accumulation=1"],
      undefined,
      MPI_ENV,
    );
  }
  const running = startTraining([...args, ...flags, "--set", "grad_accumulation=2"]);
  if (ending.kind === "signal") {
    await running.event(ending.event, ({ type }) => type !== "console");
    await pause(ending.milliseconds);
    running.child.kill(ending.signal);
  }
  return running.ended;
}

/** Checks the exit code, and sets what the model knows of the run now. */
function ended(model: Model, id: string, { code, stderr }: Outcome, ending: Ending, from: number): void {
  if (ending.kind === "signal") {
    // 0: it was quicker than the signal
    expect([codes[ending.signal], 0], stderr).toContain(code);
    model.runs.set(id, null);
    return;
  }
  expect(code, stderr).toBe(0);
  model.runs.set(
    id,
    ending.kind === "whole" ? STEPS : Math.max(from, Math.min(STEPS, Math.max(1, from + ending.more))),
  );
}

type Command = fc.AsyncCommand<Model, Real>;

function command(text: string, needs: number, run: (model: Model, real: Real) => Promise<void>): Command {
  return {
    check: ({ runs }) => runs.size >= needs,
    async run(model, real) {
      real.done.push(text);
      await run(model, real);
      await look(model, real);
    },
    toString: () => text,
  };
}

/** Why a run cannot be continued; null if it can. */
function refusalOf({ runs, finished }: Model, id: string): string | null {
  if (finished.has(id)) return "the run has finished";
  return runs.get(id) === null ? "has no checkpoint" : null;
}

const pick = (model: Model, number: number): string => [...model.runs.keys()][number % model.runs.size];

const ending: fc.Arbitrary<Ending> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("steps" as const), more: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 1, arbitrary: fc.constant({ kind: "whole" as const }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("signal" as const),
      signal: fc.constantFrom("SIGINT" as const, "SIGTERM" as const, "SIGKILL" as const, "SIGKILL" as const),
      event: fc.integer({ min: 1, max: 14 }),
      milliseconds: fc.integer({ min: 0, max: 40 }),
    }),
  },
);

const train = ending.map((how) =>
  command(`train ${JSON.stringify(how)}`, 0, async (model, real) => {
    const id = newId(real, "r");
    ended(model, id, await trains([config, "--run-id", id], how, 0, 1, real), how, 0);
  }),
);

const goOn = fc
  .record({ number: fc.nat(99), inPlace: fc.boolean(), how: ending, two: fc.boolean() })
  .map(({ number, inPlace, how, two }) => {
    const processes = two && how.kind !== "signal" ? 2 : 1;
    const text = `continue ${number}${inPlace ? " in place" : ""}, ${processes} processes ${JSON.stringify(how)}`;
    return command(text, 1, async (model, real) => {
      const from = pick(model, number);
      const id = inPlace ? from : newId(real, "c");
      const args = ["--continue", from, ...(inPlace ? ["--in-place"] : ["--run-id", id])];
      const step = model.runs.get(from) as number | null;
      const outcome = await trains(args, how, step ?? 0, processes, real);
      const refusal = refusalOf(model, from);
      if (refusal) {
        expect(outcome.code, outcome.stderr).toBe(2);
        expect(outcome.stderr).toContain(refusal);
        return;
      }
      // killed while it made the folder of a new run, it may not have come to a checkpoint
      ended(model, id, outcome, how, step ?? 0);
    });
  });

const atOnce = fc.record({ number: fc.nat(99), more: fc.integer({ min: 1, max: 2 }) }).map(({ number, more }) =>
  command(`two at once, ${number}, ${more} steps`, 1, async (model, real) => {
    const id = pick(model, number);
    const step = model.runs.get(id) as number | null;
    const how = { kind: "steps", more } as const;
    const args = ["--continue", id, "--in-place"];
    const both = await Promise.all([1, 2].map(() => trains(args, how, step ?? 0, 1, real)));
    const told = both.map(({ code }) => code).sort();
    const text = both.map(({ stderr }) => stderr).join("\n");
    if (refusalOf(model, id)) return expect(told, text).toEqual([2, 2]);
    // one may have been over before the other began, which then found nothing left to do
    expect(
      [
        [0, 0],
        [0, 2],
      ],
      text,
    ).toContainEqual(told);
    const refused = both.find(({ code }) => code === 2);
    if (refused) expect(refused.stderr).toMatch(/another process trains this run|the run has finished/);
    ended(model, id, both.find(({ code }) => code === 0) as Outcome, how, step ?? 0);
  }),
);

const evaluation = fc.nat(99).map((number) =>
  command(`evaluate ${number}`, 1, async (model, real) => {
    const [run, id] = [pick(model, number), newId(real, "e")];
    const { modelsDir } = runFolder(real.out, run);
    const hasWeights = existsSync(weightPath(modelsDir, run, "latest"));
    const args = ["evaluate", run, "--engine", "wasm", "--out", real.out, "--run-id", id];
    const { code, stderr } = await atmorep(args);
    expect(code, stderr).toBe(hasWeights ? 0 : 2);
    if (hasWeights) model.evaluations.add(id);
  }),
);

const conversion = fc.nat(99).map((number) =>
  command(`convert ${number}`, 1, async (model, real) => {
    const run = pick(model, number);
    const from = weightPath(runFolder(real.out, run).modelsDir, run, "latest");
    const to = join(real.out, `${run}.safetensors`);
    const { code, stderr } = await atmorep(["weights", "convert", from, to]);
    expect(code, stderr).toBe(existsSync(from) ? 0 : 2);
    if (code === 0) expect(await readWeights(to)).toEqual(await readWeights(from));
  }),
);

const removal = fc.nat(99).map((number) =>
  command(`delete ${number}`, 2, async (model, real) => {
    const id = pick(model, number);
    const { modelsDir, resultsDir } = runFolder(real.out, id);
    for (const dir of [modelsDir, resultsDir]) rmSync(dir, { recursive: true, force: true });
    model.runs.delete(id);
    model.finished.delete(id);
  }),
);

it("every run is what its commands made of it, whatever the sequence", async () => {
  const all = { lives: 0, commands: 0 };
  const any = fc.oneof(
    { weight: 1, arbitrary: train },
    { weight: 6, arbitrary: goOn },
    { weight: 1, arbitrary: atOnce },
    { weight: 1, arbitrary: evaluation },
    { weight: 1, arbitrary: conversion },
    { weight: 1, arbitrary: removal },
  );
  // of fc.commands most would be sequences that are over when they have hardly begun
  const commands = fc
    .tuple(train, fc.array(any, { minLength: LENGTH - 1, maxLength: LENGTH - 1 }))
    .map(([first, rest]) => [first, ...rest]);
  const life = fc.asyncProperty(commands, async (sequence) => {
    const real: Real = { out: mkdtempSync(join(root, "life-")), made: 0, done: [] };
    try {
      const model: Model = { runs: new Map(), finished: new Set(), evaluations: new Set() };
      await fc.asyncModelRun(() => ({ model, real }), sequence);
    } catch (error) {
      throw new Error(`after ${real.done.join("; ")}`, { cause: error });
    } finally {
      all.lives += 1;
      all.commands += real.done.length;
      rmSync(real.out, { recursive: true, force: true });
    }
  });
  // a failure is told as it is: to shorten it would take hours
  await fc.assert(life, { numRuns: LIVES, endOnFailure: true });
  console.log(`${all.lives} lives, ${all.commands} commands, every run as the undisturbed one`);
});
