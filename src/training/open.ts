/** Opening a run: everything it needs before its first step, checked before anything is written. */
import { existsSync } from "node:fs";
import { withOverfit } from "../batches/overfit.js";
import { checkAgainstStore, checkConfig } from "../checks/validate.js";
import { parseFields, predictedFields } from "../config/fields.js";
import { resolveStorePath, storePathOfRun } from "../config/resolve.js";
import { drawRunId } from "../config/runId.js";
import { withSeeds } from "../config/seeds.js";
import { endTime, firstHour, withFullTimes } from "../config/times.js";
import type { RunConfig } from "../config/types.js";
import { drawEpoch } from "../data/sampling.js";
import { openStore, type Store } from "../data/store.js";
import type { Draw } from "../data/types.js";
import { ALONE } from "../distributed/index.js";
import { openEngine } from "../engine/index.js";
import { createMaskStreams, type MaskGeneratorsState } from "../masking/index.js";
import { readContinuation } from "../runs/continue.js";
import { assertFree, parseRunReference, runFolder } from "../runs/folder.js";
import { lockRun, type RunLock } from "../runs/lock.js";
import { MetricsLog } from "../runs/metrics.js";
import { startFolder } from "../runs/start.js";
import { learningRates } from "../step/schedule.js";
import { disposeState, stepModel } from "../step/step.js";
import type { TrainOptions } from "./options.js";
import { assertJoined, checkContinuation, readOneBatch } from "./refuse.js";
import type { Session } from "./session.js";
import { parentOf, startingProgress, startingState, startingWeights } from "./starting.js";

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
    const testDraws = config.dates_test ? drawEpoch({ config, store, split: "test", epoch: 0 }) : null;
    const draws = cachedDraws(config, store);
    if (continued) checkContinuation(config, continued, draws, options.maxSteps);
    await readOneBatch(config, store, [draws(continued?.checkpoint.state.epoch ?? 0)[0], validationDraws[0]]);
    const engine = await openEngine(options.engine ?? "auto");
    if (engine.instead?.reason === "unusable") warnings.push(engine.instead.text);
    const state = startingState(weights, continued, config);
    const fields = parseFields(config);
    const masks = createMaskStreams(config, fields);
    if (continued) masks.setState(continued.checkpoint.state.masking as MaskGeneratorsState | null);

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
      parent: parentOf(continued, id),
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

/** The draws of the epoch asked for last are kept: they are asked for several times. */
function cachedDraws(config: RunConfig, store: Store): (epoch: number) => Draw[] {
  let last: { epoch: number; draws: Draw[] } | null = null;
  return (epoch) => {
    if (last?.epoch !== epoch) last = { epoch, draws: drawEpoch({ config, store, split: "train", epoch }) };
    return last.draws;
  };
}
