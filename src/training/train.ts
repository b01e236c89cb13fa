/**
 * Training as a stream of events. The files of the run are written inside, so that a notebook and the command line
 * leave the same bytes.
 */
import type { PlainBatch } from "../batches/plain.js";
import type { RunConfig } from "../config/types.js";
import { isShared } from "../distributed/index.js";
import { collectAfter, collectGarbage } from "../engine/garbage.js";
import { isAtmorepError } from "../errors.js";
import { baselineSkill, fitBaselines } from "../prediction/baselines.js";
import type { Validation } from "../prediction/validation.js";
import { removeEndMark } from "../runs/endMark.js";
import type { FieldSkill, FinishedEvent, FinishReason, TrainEvent } from "../runs/events.js";
import { metricsLine } from "../runs/metrics.js";
import { stepSeries } from "../runs/series.js";
import type { BaselineParams } from "../scores/index.js";
import type { StepResult } from "../step/step.js";
import { isDivided } from "../step/zero.js";
import { assertTrackable, isTracked, tracked } from "../trackers/index.js";
import { assertSameState, Disagreement } from "./agreement.js";
import { batchesPerStep, trainBatches } from "./batches.js";
import { ConsoleLog } from "./consoleLog.js";
import { failed, left, markEnd } from "./end.js";
import { finishedEvent, startedEvent, stepEvent } from "./events.js";
import { withSkillNoted } from "./noteSkill.js";
import { openSession } from "./open.js";
import type { TrainOptions } from "./options.js";
import { tellProvenance } from "./provenance.js";
import { runStep } from "./runStep.js";
import { saveEpoch, saveLatest, saveStart } from "./save.js";
import { emptySums, type Session } from "./session.js";
import { reachedMaxSteps, stopReason, unlessStopped } from "./stop.js";
import { tellAtEnd } from "./told.js";
import { validateAndLog } from "./validateAndLog.js";

/**
 * Trains a model: `for await (const event of train(config)) ...`.
 *
 * Ends with `finished` after the last epoch, `maxSteps`, `maxTime` or an aborted `signal`; all of them leave a
 * checkpoint that `continue` takes up, and a continued run equals the unbroken one. So does whoever leaves the loop
 * early, by `break` or an error.
 *
 * @param config a complete configuration, such as `resolveConfig({preset: "storm"}).config`
 * @throws AtmorepError (config, usage, input) before anything is written, (failed) while running: then the last good
 *   checkpoint remains
 * @example for await (const e of train(config, { maxSteps: 100 })) if (e.type === "step") console.log(e.total);
 */
export async function* train(config: RunConfig, options: TrainOptions = {}): AsyncGenerator<TrainEvent, FinishedEvent> {
  if ((options.communicator?.rank ?? 0) > 0) return yield* trainRun(config, options);
  const out = options.out ?? ".";
  if (!isTracked(config)) return yield* withSkillNoted(trainRun(config, options), out);
  assertTrackable(config);
  return yield* tracked(withSkillNoted(trainRun(config, options), out), out);
}

async function* trainRun(config: RunConfig, options: TrainOptions): AsyncGenerator<TrainEvent, FinishedEvent> {
  const session = await openSession(config, options);
  const log = new ConsoleLog(session);
  let goesOn = true;
  try {
    if (session.writes) {
      await removeEndMark(session.folder);
      await tellProvenance(session);
    }
    if (!options.inPlace) await saveStart(session);
    for (const message of session.warnings) yield { type: "warning", message };
    const ready = await unlessStopped(baselinesOf(session), session.options);
    if (ready === null) session.abandoned = true;
    const { fitted, baselines } = ready ?? NO_BASELINES;
    let outcome: Outcome = { reason: "interrupted", last: null };
    if (ready === null) yield await saveLatest(session);
    else {
      yield startedEvent(session, baselines);
      yield* log.header();
      outcome = yield* epochs(session, log, fitted);
    }
    const { reason, last } = outcome;

    const told = await tellAtEnd(session, fitted, { last, baselines, interrupted: reason === "interrupted" });

    goesOn = false;
    await markEnd(session, reason);
    yield* log.finished(session.progress.lastLoss);
    const event = finishedEvent(session, reason, told);
    yield event;
    return event;
  } catch (error) {
    goesOn = false;
    throw await failed(session, error);
  } finally {
    try {
      if (goesOn && session.writes) await left(session);
    } finally {
      await session.close();
    }
  }
}

interface Baselines {
  fitted: BaselineParams;
  /** their scores, known before any training */
  baselines: FieldSkill[];
}

const NO_BASELINES: Baselines = { fitted: {}, baselines: [] };

/** One process validates, so one fits. */
async function baselinesOf(session: Session): Promise<Baselines> {
  if (!session.writes) return NO_BASELINES;
  const fitted = await fitBaselines(session);
  return { fitted, baselines: await baselineSkill(session, fitted) };
}

interface Outcome {
  reason: FinishReason;
  /** the last validation of this process, if there was one */
  last: Validation | null;
}

/** The epochs; where they fail for want of data, of a process or of finite numbers, what was learnt is saved. */
async function* epochs(session: Session, log: ConsoleLog, fitted: BaselineParams): AsyncGenerator<TrainEvent, Outcome> {
  try {
    return yield* eachEpoch(session, log, fitted);
  } catch (error) {
    // of a divided state, only what all processes save together
    const whole = isShared(error) || !isDivided(session.config, session.communicator);
    const worthKeeping =
      isAtmorepError(error) && !(error instanceof Disagreement) && session.progress.step > 0 && whole;
    if (worthKeeping) yield await saveLatest(session, session.unfinished ?? undefined);
    throw error;
  }
}

/** Epoch after epoch: train, save the numbered weights, validate. */
async function* eachEpoch(
  session: Session,
  log: ConsoleLog,
  fitted: BaselineParams,
): AsyncGenerator<TrainEvent, Outcome> {
  const { config, progress } = session;
  let last: Validation | null = null;
  if (config.test_initial && progress.step === 0 && progress.best === null) {
    last = yield* validateAndLog(session, log, fitted);
    if (last === null) return { reason: "interrupted", last };
  }
  while (progress.epoch < config.num_epochs) {
    const batches = session.draws(progress.epoch).length;
    const stopped = progress.batch < batches ? yield* trainEpoch(session, log, batches) : null;
    await assertSameState(session);
    if (stopped && progress.batch < batches) {
      yield await saveLatest(session);
      const validation = stopped === "interrupted" ? null : yield* validateAndLog(session, log, fitted);
      return { reason: validation ? stopped : "interrupted", last: validation ?? last };
    }
    yield await saveEpoch(session);
    collectGarbage();
    const validation = yield* validateAndLog(session, log, fitted);
    if (validation === null) {
      yield await saveLatest(session);
      return { reason: "interrupted", last };
    }
    last = validation;
    const reason = await stopReason(session);
    if (reason) return { reason, last };
  }
  return { reason: "completed", last };
}

/** The rest of the current epoch's batches. @returns why it stopped early, or null */
async function* trainEpoch(
  session: Session,
  log: ConsoleLog,
  batches: number,
): AsyncGenerator<TrainEvent, FinishReason | null> {
  const { config, progress, communicator } = session;
  communicator.at(progress.step, "training");
  // a run that was interrupted while it validated after its last step
  if (reachedMaxSteps(session)) return "max-steps";
  const learningRate = session.learningRates[progress.epoch];
  yield { type: "epoch", epoch: progress.epoch, learningRate };
  yield* log.epoch(learningRate);
  if (progress.batch === 0) progress.console = emptySums();
  const perStep = batchesPerStep(session);
  let group: (PlainBatch | null)[] = [];
  let masking = session.masks.getState();
  let waiting = performance.now();
  const reading = trainBatches(session, progress.epoch, progress.batch);
  try {
    for (;;) {
      let data: number;
      let computing: number;
      let result: StepResult;
      try {
        const next = await unlessStopped(reading.next(), session.options);
        if (next === null) {
          session.abandoned = true;
          session.masks.setState(masking);
          return "interrupted";
        }
        if (next.done) break;
        group.push(next.value);
        if (group.length < perStep) continue;
        data = performance.now() - waiting;
        computing = performance.now();
        result = await runStep(session, group, learningRate);
      } catch (error) {
        // as they were before what failed, as all else that is saved
        session.masks.setState(masking);
        throw error;
      }
      progress.step += 1;
      communicator.at(progress.step, "training");
      progress.batch += group.length;
      progress.samples += group.length * config.batch_size;
      group = [];
      const series = stepSeries(result, session.predicted);
      await session.metrics.append(metricsLine(progress.epoch, progress.step, progress.samples, new Date(), series));
      yield* log.step(series, batches);
      yield stepEvent(session, result, series, { learningRate, data, computing });
      if (progress.batch % config.model_log_frequency < perStep && progress.batch < batches) {
        await assertSameState(session);
        yield await saveLatest(session);
      }
      collectAfter(progress.step);
      // lets signals, timers and other work in
      await new Promise((resolve) => setImmediate(resolve));
      masking = session.masks.getState();
      const stopped = await stopReason(session);
      if (stopped) return stopped;
      waiting = performance.now();
    }
  } finally {
    const ending = reading.return(undefined);
    if (session.abandoned) ending.catch(() => {});
    else await ending;
  }
  // batches left over by the accumulation are dropped, as the loader drops an incomplete batch
  progress.batch = batches;
  return null;
}
