/**
 * Training as a stream of events. The files of the run are written inside, so that a notebook and the command line
 * leave the same bytes.
 */
import { existsSync } from "node:fs";
import { disposeBatch, type PlainBatch, toTensors } from "../batches/batch.js";
import { batchesPerStep, trainBatches } from "../batches/batches.js";
import type { RunConfig } from "../config/types.js";
import { collectAfter, collectGarbage } from "../engine/garbage.js";
import { AtmorepError, isAtmorepError } from "../errors.js";
import { systemFault } from "../formats/systemFault.js";
import { countParameters } from "../model/index.js";
import { baselineSkill, fitBaselines, type Validation, validate } from "../prediction/validation.js";
import { checkpointFiles } from "../runs/checkpoint.js";
import { removeEndMark, writeEndMark } from "../runs/endMark.js";
import type { FieldSkill, FinishedEvent, FinishReason, TrainEvent } from "../runs/events.js";
import { metricsLine } from "../runs/metrics.js";
import { stepSeries } from "../runs/series.js";
import type { BaselineParams } from "../scores/index.js";
import { isShared } from "../step/sharedStep.js";
import { type StepResult, trainStep } from "../step/step.js";
import { ConsoleLog } from "./consoleLog.js";
import type { TrainOptions } from "./options.js";
import { saveBest, saveEpoch, saveLatest, saveStart } from "./save.js";
import { saveGradients } from "./saveGradients.js";
import { emptySums, openSession, type Session } from "./session.js";

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
  const began = Date.now();
  const session = await openSession(config, options);
  const log = new ConsoleLog(session);
  let goesOn = true;
  try {
    if (session.writes) await removeEndMark(session.folder);
    if (!options.inPlace) await saveStart(session);
    for (const message of session.warnings) yield { type: "warning", message };
    const fitted = await fitBaselines(session);
    const baselines = session.writes ? await baselineSkill(session, fitted) : [];
    yield startedEvent(session, baselines);
    yield* log.header();

    const { reason, last } = yield* epochs(session, log, fitted, began);

    goesOn = false;
    if (session.writes) {
      await writeEndMark(session.folder, { reason, epoch: session.progress.epoch, step: session.progress.step });
    }
    yield* log.finished(session.progress.lastLoss);
    const finished: FinishedEvent = {
      type: "finished",
      reason,
      runId: session.folder.id,
      epoch: session.progress.epoch,
      step: session.progress.step,
      samples: session.progress.samples,
      loss: session.progress.lastLoss,
      skill: last?.skill ?? baselines,
      verdict: last?.verdict ?? null,
      resultsDir: session.folder.resultsDir,
      modelsDir: session.folder.modelsDir,
      milliseconds: Date.now() - began,
    };
    yield finished;
    return finished;
  } catch (error) {
    goesOn = false;
    // what stopped the run, such as a full disk, may stop this too
    const mark = { reason: "failed", epoch: session.progress.epoch, step: session.progress.step } as const;
    if (session.writes) await writeEndMark(session.folder, mark).catch(() => {});
    // whoever ends first ends the others too
    if (isShared(error)) await session.communicator.gather(null);
    const { id, resultsDir, checkpointDir } = session.folder;
    const kept = checkpointFiles(checkpointDir, "latest").some((path) => existsSync(path));
    throw systemFault(whileRunning(error), "failed", "the run cannot go on", {
      where: resultsDir,
      fix: kept
        ? `Mend that; then: npx atmorep train --continue ${id} --in-place`
        : "Mend that and start again; this run has saved nothing yet.",
    });
  } finally {
    try {
      if (goesOn && session.writes) await saveLeft(session);
    } finally {
      await session.close();
    }
  }
}

/** The checkpoint and the end mark of a run whose reader has left it between two events. */
async function saveLeft(session: Session): Promise<void> {
  const { folder, progress, unfinished } = session;
  await saveLatest(session, unfinished ?? undefined);
  await writeEndMark(folder, {
    reason: "interrupted",
    epoch: unfinished?.epoch ?? progress.epoch,
    step: progress.step,
  });
}

/** Faults of the data that show only now have work behind them: they are failures, not wrong input. */
function whileRunning(error: unknown): unknown {
  if (!isAtmorepError(error) || error.code === "failed") return error;
  return new AtmorepError("failed", error.message, { cause: error });
}

interface Outcome {
  reason: FinishReason;
  /** the last validation of this process, if there was one */
  last: Validation | null;
}

/** Epoch after epoch: train, save the numbered weights, validate. */
async function* epochs(
  session: Session,
  log: ConsoleLog,
  fitted: BaselineParams,
  began: number,
): AsyncGenerator<TrainEvent, Outcome> {
  const { config, progress } = session;
  let last: Validation | null = null;
  if (config.test_initial && progress.step === 0 && progress.best === null) {
    last = yield* validateAndLog(session, log, fitted);
    if (last === null) return { reason: "interrupted", last };
  }
  while (progress.epoch < config.num_epochs) {
    const batches = session.draws(progress.epoch).length;
    const stopped = progress.batch < batches ? yield* trainEpoch(session, log, batches, began) : null;
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
    const reason = await stopReason(session, began);
    if (reason) return { reason, last };
  }
  return { reason: "completed", last };
}

/** The rest of the current epoch's batches. @returns why it stopped early, or null */
async function* trainEpoch(
  session: Session,
  log: ConsoleLog,
  batches: number,
  began: number,
): AsyncGenerator<TrainEvent, FinishReason | null> {
  const { config, progress } = session;
  // a run that was interrupted while it validated after its last step
  if (reachedMaxSteps(session)) return "max-steps";
  const learningRate = session.rates[progress.epoch];
  yield { type: "epoch", epoch: progress.epoch, learningRate };
  yield* log.epoch(learningRate);
  if (progress.batch === 0) progress.console = emptySums();
  const perStep = batchesPerStep(session);
  let group: (PlainBatch | null)[] = [];
  let generators = session.generators.getState();
  let waiting = performance.now();
  for await (const batch of trainBatches(session, progress.epoch, progress.batch)) {
    group.push(batch);
    if (group.length < perStep) continue;
    const dataMs = performance.now() - waiting;
    const computing = performance.now();
    let result: StepResult;
    try {
      result = await runStep(session, group, learningRate);
    } catch (error) {
      // the state is as it was before the step that failed: worth keeping
      session.generators.setState(generators);
      if (isAtmorepError(error)) yield await saveLatest(session);
      throw error;
    }
    progress.step += 1;
    progress.batch += group.length;
    progress.samples += group.length * config.batch_size;
    group = [];
    const series = stepSeries(result, session.predicted);
    await session.metrics.append(metricsLine(progress.epoch, progress.step, progress.samples, new Date(), series));
    yield* log.step(series, batches);
    yield {
      type: "step",
      epoch: progress.epoch,
      step: progress.step,
      samples: progress.samples,
      learningRate,
      total: result.total,
      mse: series["training loss"],
      series,
      gradientNorm: result.gradientNorm,
      milliseconds: { data: dataMs, compute: performance.now() - computing },
      rss: process.memoryUsage.rss(),
      elapsed: Date.now() - began,
    };
    if (progress.batch % config.model_log_frequency < perStep && progress.batch < batches) {
      yield await saveLatest(session);
    }
    collectAfter(progress.step);
    // lets signals, timers and other work in
    await new Promise((resolve) => setImmediate(resolve));
    const stopped = await stopReason(session, began);
    if (stopped) return stopped;
    generators = session.generators.getState();
    waiting = performance.now();
  }
  // batches left over by the accumulation are dropped, as the loader drops an incomplete batch
  progress.batch = batches;
  return null;
}

/** One optimiser step; the tensors of its batches live only here. Other processes compute what is null in the group. */
async function runStep(session: Session, group: (PlainBatch | null)[], learningRate: number): Promise<StepResult> {
  const { config, progress, communicator } = session;
  const step = progress.step + 1;
  const first = progress.step * group.length;
  const own = group.flatMap((batch, k) => (batch === null ? [] : [{ batch, number: first + k }]));
  const batches = own.map(({ batch }) => toTensors(batch));
  try {
    const seed = Number(config.torch_seed) % 2 ** 32;
    const dropoutSeeds = config.dropout_rate > 0 ? own.map(({ number }) => [seed, number] as const) : null;
    const left = session.draws(progress.epoch).length - progress.batch - group.length;
    const keepGradients = config.save_grads && session.writes && left < group.length;
    const rates = { learningRate, dropoutSeeds, step, keepGradients };
    const { state, result, gradients } = await trainStep(session, session.state, batches, rates, communicator);
    session.state = state;
    if (gradients) await saveGradients(session, gradients);
    return result;
  } finally {
    batches.forEach(disposeBatch);
  }
}

function reachedMaxSteps({ options: { maxSteps }, progress }: Pick<Session, "options" | "progress">): boolean {
  return maxSteps !== undefined && progress.step >= maxSteps;
}

/** From the weakest to the strongest: a signal to one process stops all of them. */
const REASONS = [null, "max-time", "max-steps", "interrupted"] as const;

async function stopReason({ options, progress, communicator }: Session, began: number): Promise<FinishReason | null> {
  const own = (): (typeof REASONS)[number] => {
    if (options.signal?.aborted) return "interrupted";
    if (reachedMaxSteps({ options, progress })) return "max-steps";
    if (options.maxTime !== undefined && Date.now() - began >= options.maxTime) return "max-time";
    return null;
  };
  const all = await communicator.gather(own());
  return REASONS[Math.max(...all.map((reason) => REASONS.indexOf(reason)))];
}

/**
 * Validates and logs; at the end of an epoch also moves on to the next one, and saves "best" and "latest".
 * @returns the validation, or null if the run was interrupted meanwhile
 */
async function* validateAndLog(
  session: Session,
  log: ConsoleLog,
  fitted: BaselineParams,
): AsyncGenerator<TrainEvent, Validation | null> {
  const { progress } = session;
  const began = performance.now();
  // one process validates, for the others wait at the next step anyway
  const result = await session.communicator.broadcast(session.writes ? await validate(session, fitted) : null);
  collectGarbage();
  if (result === null) return null;
  const { epoch, step, batch, console, lastLoss } = progress;
  const before = { metricsRows: session.metrics.rows, best: progress.best, lastLoss };
  session.unfinished = { ...before, epoch, batch, console };
  await session.metrics.append(metricsLine(epoch, step, progress.samples, new Date(), result.series));
  yield* log.validated(result);
  const best = progress.best === null || result.loss < progress.best.loss;
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

function startedEvent(session: Session, baselines: FieldSkill[]): TrainEvent {
  const { config, folder, options, progress } = session;
  let planned = progress.step;
  for (let epoch = progress.epoch; epoch < config.num_epochs; epoch++) {
    const batches = session.draws(epoch).length - (epoch === progress.epoch ? progress.batch : 0);
    planned += Math.floor(batches / batchesPerStep(session));
  }
  return {
    type: "started",
    runId: folder.id,
    config,
    engine: session.engine.description,
    engineOffer: session.engine.instead?.reason === "absent" ? session.engine.instead.text : null,
    parameters: countParameters(session.model.spec),
    stepsPerEpoch: Math.floor(session.draws(0).length / batchesPerStep(session)),
    plannedSteps: Math.min(planned, options.maxSteps ?? Number.POSITIVE_INFINITY),
    validationSamples: session.validationDraws.length * config.batch_size_validation,
    firstStep: progress.step + 1,
    resultsDir: folder.resultsDir,
    modelsDir: folder.modelsDir,
    baselines,
  };
}
