/** Opening a run: everything it needs before its first step, checked before anything is written. */
import { existsSync } from "node:fs";
import { withOverfit } from "../batches/overfit.js";
import { epochSteps, leftOverText } from "../checks/epochSteps.js";
import { checkAgainstStore, checkConfig } from "../checks/validate.js";
import { parseFields, predictedFields } from "../config/fields.js";
import { resolveStorePath, storePathOfRun } from "../config/resolve.js";
import { drawRunId } from "../config/runId.js";
import { withSeeds } from "../config/seeds.js";
import { endTime, firstHour, withFullTimes } from "../config/times.js";
import type { RunConfig } from "../config/types.js";
import { drawEpoch } from "../data/sampling.js";
import { recordReads } from "../data/source/index.js";
import type { Store } from "../data/store.js";
import type { Draw } from "../data/types.js";
import { ALONE } from "../distributed/index.js";
import { openEngine } from "../engine/index.js";
import { createMaskStreams, type MaskGeneratorsState } from "../masking/index.js";
import { assertFree, isStillborn, parseRunReference, runFolder } from "../runs/folder.js";
import { lockRun, type RunLock } from "../runs/lock.js";
import { MetricsLog } from "../runs/metrics.js";
import { startFolder } from "../runs/start.js";
import { learningRates } from "../step/schedule.js";
import { disposeState, stepModel } from "../step/step.js";
import { assertAgreed, factsAsked, factsBegun } from "./agreement.js";
import { openForAll, otherSnapshot, pinnedPath } from "./data.js";
import { ownState } from "./divided.js";
import type { TrainOptions } from "./options.js";
import { provenanceOf } from "./provenance.js";
import { assertJoined, assertShares, checkContinuation, otherStepSize, readOneBatch } from "./refuse.js";
import type { Session } from "./session.js";
import { continuationForAll, paramsForAll } from "./spread.js";
import { parentOf, startingProgress, startingState, startingWeights } from "./starting.js";
import { StoppedEarly, unlessStopped } from "./stop.js";
import { threadsOfEach } from "./threads.js";

/**
 * Prepares a run: checks everything that can be wrong first, then opens the engine and writes the configuration.
 * Nothing is written if a check fails.
 *
 * @throws AtmorepError (config, usage, input) for every fault found before any work
 */
export async function openSession(given: RunConfig, options: TrainOptions): Promise<Session> {
  const began = Date.now();
  const out = options.out ?? ".";
  const communicator = options.communicator ?? ALONE;
  const writes = communicator.rank === 0;
  assertJoined(communicator);
  const lock = writes && options.inPlace && options.continue ? await lockContinued(out, options.continue) : null;
  try {
    return await openLocked(given, options, out, lock, began);
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
  began: number,
): Promise<Session> {
  const communicator = options.communicator ?? ALONE;
  const { rank, size } = communicator;
  const writes = rank === 0;
  await assertAgreed(communicator, "in what it was asked for", () => factsAsked(given, options));
  const continued = options.continue ? await continuationForAll(communicator, out, options.continue) : null;
  // what is random is drawn by one process for all
  const dated = withFullTimes(given, continued ? firstHour : endTime);
  const drawn = { id: options.runId ?? drawRunId(), config: withSeeds(withOverfit(dated, options.overfit)) };
  const agreed = await communicator.broadcast(drawn);
  const id = options.inPlace && continued ? continued.runId : agreed.id;
  const folder = runFolder(out, id);
  if (writes && !(options.inPlace && continued) && !(await isStillborn(folder))) assertFree(folder);
  const job = process.env.SLURM_JOB_ID ? { slurm_job_id: process.env.SLURM_JOB_ID } : {};
  const asked = { ...agreed.config, ...job, wandb_id: id, par_rank: rank, par_size: size };
  const warnings: string[] = continued?.warning ? [continued.warning] : [];

  checkConfig(asked);
  assertShares(asked);
  const place = (path: string, key: string) => storePathOfRun(path, resolveStorePath(path, options.folder, key));
  const config = {
    ...asked,
    file_path: place(asked.file_path, "file_path"),
    statistics: asked.statistics && place(asked.statistics, "statistics"),
  };
  const stopReads = writes ? recordReads() : () => {};
  const store = await unlessStopped(openForAll(asked, options), options).catch((error) => {
    stopReads();
    throw error;
  });
  if (store === null) {
    stopReads();
    throw new StoppedEarly();
  }
  try {
    // branches and tags of a repository move: the run says which snapshot it was
    config.file_path = pinnedPath(config.file_path, store.location);
    const other = continued && writes && otherSnapshot(continued, config.file_path);
    if (other) warnings.push(other);
    warnings.push(...checkAgainstStore(config, store));
    const model = stepModel(config);
    const reads = writes ? await startingWeights(config, model.spec, options, continued) : null;
    const weights = continued?.checkpoint.params ?? (await paramsForAll(communicator, reads));
    const validationDraws = drawEpoch({ config, store, split: "validate", epoch: 0 });
    const testDraws = config.dates_test ? drawEpoch({ config, store, split: "test", epoch: 0 }) : null;
    const draws = cachedDraws(config, store);
    const leftOver = leftOverText(epochSteps(config, draws(0).length, size));
    if (leftOver) warnings.push(leftOver);
    const otherBatch = continued && writes && otherStepSize(config, continued);
    if (otherBatch) warnings.push(otherBatch);
    if (continued) checkContinuation(config, continued, draws, options.maxSteps);
    const first = [draws(continued?.checkpoint.state.epoch ?? 0)[0], validationDraws[0]];
    const firstValues = await unlessStopped(readOneBatch(config, store, first), options);
    if (firstValues === null) throw new StoppedEarly();
    const engine = await openEngine(options.engine ?? "auto", await threadsOfEach(communicator));
    if (engine.instead?.reason === "unusable") warnings.push(engine.instead.text);
    // nobody writes before everybody has read and checked
    const begin = () => factsBegun({ store, firstValues, engine, weights, continued });
    await assertAgreed(communicator, "before the first step", begin);
    const state = ownState(startingState(weights, continued, config), config, communicator);
    const fields = parseFields(config);
    const masks = createMaskStreams(config, fields);
    if (continued) masks.setState(continued.checkpoint.state.masking as MaskGeneratorsState | null);

    const parent = parentOf(continued, id);
    const provenance = await provenanceOf({ config, options, engine, store, parent }, continued);
    const predicted = predictedFields(config);
    const starting = writes ? startFolder(folder, config, { fields, predicted }, continued, lock) : null;
    const begun = await starting?.catch((error) => {
      disposeState(state);
      throw error;
    });
    if (begun?.lock.warning) warnings.push(begun.lock.warning);
    const metrics = begun?.metrics ?? MetricsLog.silent(continued?.metricsLines.length ?? 0);
    const session: Session = {
      began,
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
      parent,
      provenance,
      metrics,
      learningRates: learningRates(config),
      masks,
      state,
      progress: startingProgress(continued),
      unfinished: null,
      warnings,
      validationDraws,
      testDraws,
      overfitBatch: null,
      abandoned: false,
      draws,
      async close() {
        disposeState(session.state);
        stopReads();
        await begun?.lock.release();
        const closing = store.close();
        // it ends with what is being read, and a server that is away may be asked for minutes
        if (session.abandoned) closing.catch(() => {});
        else await closing;
      },
    };
    return session;
  } catch (error) {
    stopReads();
    const closing = store.close();
    // what it stopped waiting for would be waited for here
    if (error instanceof StoppedEarly) closing.catch(() => {});
    else await closing;
    throw error;
  }
}

/** The draws of the epoch asked for last are kept: they are asked for several times. */
function cachedDraws(config: RunConfig, store: Store): (epoch: number) => Draw[] {
  let last: { epoch: number; draws: Draw[] } | null = null;
  return (epoch) => {
    if (last?.epoch !== epoch) last = { epoch, draws: drawEpoch({ config, store, split: "train", epoch }) };
    return last.draws;
  };
}
