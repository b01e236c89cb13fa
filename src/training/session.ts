/** Everything a run needs before its first step: configuration, data, engine, weights, folders. */
import { existsSync, readFileSync } from "node:fs";
import type { PlainBatch } from "../batches/batch.js";
import { checkAgainstStore, checkConfig } from "../checks/validate.js";
import { parseFields, predictedFields } from "../config/fields.js";
import { resolveStorePath, storePathOfRun } from "../config/resolve.js";
import { drawRunId, withSeeds } from "../config/seeds.js";
import { endTime, firstHour, withFullTimes } from "../config/times.js";
import type { Field, PredictedField, RunConfig } from "../config/types.js";
import { readCube } from "../data/cube.js";
import { drawEpoch } from "../data/sampling.js";
import { openStore, type Store } from "../data/store.js";
import type { Draw } from "../data/types.js";
import { ALONE, type Communicator, launchOf } from "../distributed/index.js";
import { type Engine, openEngine } from "../engine/index.js";
import { AtmorepError } from "../errors.js";
import { createMaskGenerators, type MaskGenerators, type MaskGeneratorsState } from "../masking/index.js";
import { initParameters, type ModelSpec, parameterTable, toTensors } from "../model/index.js";
import type { PlainParams } from "../model/types.js";
import type { CheckpointState, ConsoleSums } from "../runs/checkpoint.js";
import { type Continuation, readContinuation } from "../runs/continue.js";
import { assertFree, parseRunReference, type RunFolder, runFolder } from "../runs/folder.js";
import { lockRun, type RunLock } from "../runs/lock.js";
import { MetricsLog } from "../runs/metrics.js";
import { withPretrained } from "../runs/pretrained.js";
import { startFolder } from "../runs/start.js";
import { assertFits, compareWeights, readInitialWeights } from "../runs/weightFiles.js";
import { checkFreeze } from "../step/freeze.js";
import { learningRates } from "../step/schedule.js";
import { disposeState, initState, type StepModel, stepModel, type TrainState } from "../step/step.js";
import { type TrainOptions, withOverfit } from "./options.js";
import type { BeforeValidation } from "./save.js";

/** Where the run stands; what a checkpoint holds beside the tensors. */
export type Progress = Omit<CheckpointState, "format" | "version" | "runId" | "metricsRows" | "masking">;

export interface Session {
  config: RunConfig;
  options: TrainOptions;
  communicator: Communicator;
  /** true in the process that writes the run's files */
  writes: boolean;
  fields: Field[];
  predicted: PredictedField[];
  model: StepModel;
  store: Store;
  engine: Engine;
  folder: RunFolder;
  metrics: MetricsLog;
  rates: Float64Array;
  generators: MaskGenerators;
  state: TrainState;
  progress: Progress;
  /** while a validation is told: the state before it */
  unfinished: Required<BeforeValidation> | null;
  warnings: string[];
  /** fixed draws of every validation */
  validationDraws: Draw[];
  /** the one batch of `overfit`, once it has been read */
  overfitBatch: PlainBatch | null;
  /** draws of an epoch, one a batch */
  draws(epoch: number): Draw[];
  close(): Promise<void>;
}

export const emptySums = (): ConsoleSums => ({ printed: 0, batches: 0, total: 0, mse: 0 });

const START: Progress = {
  step: 0,
  epoch: 0,
  batch: 0,
  samples: 0,
  best: null,
  lastLoss: null,
  console: emptySums(),
};

/** Version of the program, written into checkpoints. */
export function programVersion(): string {
  return JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")).version;
}

/**
 * Prepares a run: checks everything that can be wrong first, then opens the engine and writes the configuration.
 * Nothing is written if a check fails.
 *
 * @throws AtmorepError (config, usage, input) for every fault found before any work
 */
export async function openSession(given: RunConfig, options: TrainOptions): Promise<Session> {
  const out = options.out ?? ".";
  const communicator = options.communicator ?? ALONE;
  const writes = communicator.rank === 0;
  assertJoined(communicator);
  const lock = writes && options.inPlace && options.continue ? await lockContinued(out, options.continue) : null;
  try {
    return await openLocked(given, options, out, lock);
  } catch (error) {
    await lock?.release();
    throw error;
  }
}

/** The lock of a run that is continued in place, taken before its checkpoint is read; null if there is no such run. */
async function lockContinued(out: string, reference: string): Promise<RunLock | null> {
  const folder = runFolder(out, parseRunReference(reference).id);
  return existsSync(folder.checkpointDir) ? await lockRun(folder) : null;
}

async function openLocked(
  given: RunConfig,
  options: TrainOptions,
  out: string,
  lock: RunLock | null,
): Promise<Session> {
  const communicator = options.communicator ?? ALONE;
  const { rank, size } = communicator;
  const writes = rank === 0;
  const continued = options.continue ? await readContinuation(out, options.continue) : null;
  // what is random is drawn by one process for all
  const dated = withFullTimes(given, continued ? firstHour : endTime);
  const drawn = { id: options.runId ?? drawRunId(), config: withSeeds(withOverfit(dated, options.overfit)) };
  const agreed = await communicator.broadcast(drawn);
  const id = options.inPlace && continued ? continued.runId : agreed.id;
  const folder = runFolder(out, id);
  if (writes && !(options.inPlace && continued)) assertFree(folder);
  const job = process.env.SLURM_JOB_ID ? { slurm_job_id: process.env.SLURM_JOB_ID } : {};
  const asked = { ...agreed.config, ...job, wandb_id: id, par_rank: rank, par_size: size };
  const warnings: string[] = continued?.warning ? [continued.warning] : [];

  checkConfig(asked);
  const location = resolveStorePath(asked.file_path, options.folder);
  const config = { ...asked, file_path: storePathOfRun(asked.file_path, location) };
  const store = await openStore(location);
  try {
    warnings.push(...checkAgainstStore(config, store));
    const model = stepModel(config);
    const weights = await startingWeights(config, model.spec, options, continued);
    const validationDraws = drawEpoch({ config, store, split: "validate", epoch: 0 });
    const draws = cachedDraws(config, store);
    if (continued) checkContinuation(config, continued, draws, options.maxSteps);
    await readOneBatch(config, store, [draws(continued?.checkpoint.state.epoch ?? 0)[0], validationDraws[0]]);
    const engine = await openEngine(options.engine ?? "auto");
    if (engine.instead?.reason === "unusable") warnings.push(engine.instead.text);
    const state = openState(weights, continued, config);
    const fields = parseFields(config);
    const generators = createMaskGenerators(config, fields);
    if (continued) generators.setState(continued.checkpoint.state.masking as MaskGeneratorsState);

    const predicted = predictedFields(config);
    // nobody writes before everybody has read and checked
    await communicator.gather(rank);
    const starting = writes ? startFolder(folder, config, { fields, predicted }, continued, lock) : null;
    const begun = await starting?.catch((error) => {
      disposeState(state);
      throw error;
    });
    const metrics = begun?.metrics ?? MetricsLog.silent(continued?.metricsLines.length ?? 0);
    const session: Session = {
      config,
      options,
      communicator,
      writes,
      fields,
      predicted,
      model,
      store,
      engine,
      folder,
      metrics,
      rates: learningRates(config),
      generators,
      state,
      progress: structuredClone(continued ? progressOf(continued.checkpoint.state) : START),
      unfinished: null,
      warnings,
      validationDraws,
      overfitBatch: null,
      draws,
      async close() {
        disposeState(session.state);
        await begun?.lock.release();
        await store.close();
      },
    };
    return session;
  } catch (error) {
    await store.close();
    throw error;
  }
}

function progressOf({ step, epoch, batch, samples, best, lastLoss, console }: CheckpointState): Progress {
  return { step, epoch, batch, samples, best, lastLoss, console };
}

async function startingWeights(
  config: RunConfig,
  spec: ModelSpec,
  { initFrom, out = ".", acceptMissing, acceptUnexpected }: TrainOptions,
  continued: Continuation | null,
): Promise<PlainParams> {
  const table = parameterTable(spec);
  const names = (entries: typeof table) => entries.map(({ name }) => name);
  checkFreeze(config.freeze, names(table), names(table.filter(({ trainable }) => trainable)));
  if (continued) {
    const shapes = new Map(table.map((entry) => [entry.name, entry]));
    assertFits(compareWeights(shapes, continued.checkpoint.params), continued.path);
    return continued.checkpoint.params;
  }
  if (initFrom) {
    const accept = { missing: acceptMissing, unexpected: acceptUnexpected };
    return readInitialWeights(out, initFrom, config, spec, accept);
  }
  return withPretrained(out, config, initParameters(spec, config.torch_seed as number));
}

function openState(params: PlainParams, continued: Continuation | null, config: RunConfig): TrainState {
  if (!continued) return initState(toTensors(params), config);
  const { moments, ema } = continued.checkpoint;
  const tensors = toTensors(params);
  const optimizer = { m: toTensors(moments.m), v: toTensors(moments.v), updates: moments.updates };
  if (config.ema_decay === null || config.ema_decay === undefined) return { params: tensors, optimizer, ema: null };
  return { params: tensors, optimizer, ema: toTensors(ema ?? params) };
}

/** Faults of the data that show in the first batches are found before anything is written. */
async function readOneBatch(config: RunConfig, store: Store, draws: Draw[]): Promise<void> {
  for (const draw of draws) await readCube(store, config, draw);
}

/** The draws of the epoch asked for last are kept: they are asked for several times. */
function cachedDraws(config: RunConfig, store: Store): (epoch: number) => Draw[] {
  let last: { epoch: number; draws: Draw[] } | null = null;
  return (epoch) => {
    if (last?.epoch !== epoch) last = { epoch, draws: drawEpoch({ config, store, split: "train", epoch }) };
    return last.draws;
  };
}

/** @throws AtmorepError (usage) if nothing is left to do or the epoch in progress has another length now */
function checkContinuation(
  config: RunConfig,
  { runId, checkpoint: { state } }: Continuation,
  draws: (epoch: number) => Draw[],
  maxSteps: number | undefined,
): void {
  if (state.epoch >= config.num_epochs) {
    throw new AtmorepError("usage", "the run has finished", {
      where: runId,
      found: `${state.epoch} epochs done`,
      expected: `num_epochs above ${state.epoch}`,
      fix: `Give it more: --set num_epochs=${state.epoch + 6}`,
    });
  }
  if (maxSteps !== undefined && (state.step > maxSteps || (state.step === maxSteps && state.batch === 0))) {
    throw new AtmorepError("usage", "the run has done these steps already", {
      where: "--max-steps",
      found: `${maxSteps}; ${state.step} steps done`,
      expected: `more than ${state.step}, since it counts the steps of the whole run`,
      fix: `--max-steps ${state.step + 100}`,
    });
  }
  const batches = draws(state.epoch).length;
  if (state.batch > batches) {
    throw new AtmorepError("usage", "the epoch in progress is shorter now", {
      where: runId,
      found: `${batches} batches an epoch, ${state.batch} of them done`,
      fix: "Keep num_samples_per_epoch, batch_size and the dates, or start anew with --init-from.",
    });
  }
}

/** Several processes that do not know of each other would each train the whole run. */
function assertJoined({ size }: Communicator): void {
  const launch = launchOf();
  if (!launch || size > 1) return;
  throw new AtmorepError("usage", "this process is one of several that do not train together", {
    where: launch.variable,
    found: launch.size,
    fix: "Train with the command (srun --mpi=pmix npx atmorep train), give train a communicator, or start one task.",
  });
}
