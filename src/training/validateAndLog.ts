/** A validation of a run, with what it leaves in the log, the metrics and the checkpoints. */

import { collectGarbage } from "../engine/garbage.js";
import type { Params } from "../model/types.js";
import { type Validation, validate } from "../prediction/validation.js";
import type { TrainEvent } from "../runs/events.js";
import { metricsLine } from "../runs/metrics.js";
import type { BaselineParams } from "../scores/index.js";
import type { ConsoleLog } from "./consoleLog.js";
import { predictingWeights } from "./divided.js";
import { saveBest, saveLatest } from "./save.js";
import { emptySums, type Session } from "./session.js";

/**
 * Validates and logs; at the end of an epoch also moves on to the next one, and saves "best" and "latest".
 * @returns the validation, or null if the run was interrupted meanwhile
 */
export async function* validateAndLog(
  session: Session,
  log: ConsoleLog,
  fitted: BaselineParams,
): AsyncGenerator<TrainEvent, Validation | null> {
  const { progress } = session;
  const began = performance.now();
  session.communicator.at(progress.step, "validating");
  const { weights, release } = await predictingWeights(session);
  const own = await validateRun(session, weights, fitted).finally(release);
  const result = await session.communicator.broadcast(own);
  collectGarbage();
  if (result === null) return null;
  const { epoch, step, batch, console, lastLoss } = progress;
  const before = { metricsRows: session.metrics.rows, best: progress.best, lastLoss };
  session.unfinished = { ...before, epoch, batch, console };
  await session.metrics.append(metricsLine(epoch, step, progress.samples, new Date(), result.series));
  yield* log.validated(result);
  // JSON brings what is not finite to the other processes as null, which is less than any number
  const best = progress.best === null || (Number.isFinite(result.loss) && result.loss < progress.best.loss);
  if (best) progress.best = { loss: result.loss, step };
  progress.lastLoss = result.loss;
  const endOfEpoch = progress.batch >= session.draws(epoch).length && step > 0;
  if (endOfEpoch) Object.assign(progress, { epoch: epoch + 1, batch: 0, console: emptySums() });
  yield {
    type: "validated",
    epoch,
    step,
    loss: result.loss,
    series: result.series,
    best,
    skill: result.skill,
    verdict: result.verdict,
    milliseconds: performance.now() - began,
  };
  if (best) yield await saveBest(session, endOfEpoch || step === 0 ? undefined : before);
  collectGarbage();
  session.unfinished = null;
  if (endOfEpoch) yield await saveLatest(session);
  return result;
}

/** With the weights as they are: the averaged ones if there are any. */
function validateRun(session: Session, weights: Params, baselines: BaselineParams): Promise<Validation | null> {
  const { progress, folder, options, communicator } = session;
  const { signal } = options;
  return validate(session, { weights, baselines, epoch: progress.epoch, folder, signal, communicator });
}
