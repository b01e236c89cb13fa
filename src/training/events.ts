/** The events of a run that gather what a session holds. */
import { timesOfSplits } from "../data/sampling.js";
import { countParameters } from "../model/index.js";
import type { FieldSkill, FinishedEvent, FinishReason, Series, StartedEvent, StepEvent } from "../runs/events.js";
import { TRAINING_LOSS } from "../runs/series.js";
import type { StepResult } from "../step/step.js";
import { batchesPerStep } from "./batches.js";
import type { Session } from "./session.js";

export function startedEvent(session: Session, baselines: FieldSkill[]): StartedEvent {
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
    times: timesOfSplits(config, session.store),
    firstStep: progress.step + 1,
    resultsDir: folder.resultsDir,
    modelsDir: folder.modelsDir,
    baselines,
    trackers: [],
  };
}

/** @param clocks milliseconds spent waiting for data, and when computing began */
export function stepEvent(
  { progress, began }: Pick<Session, "progress" | "began">,
  { total, gradientNorm }: StepResult,
  series: Series,
  { learningRate, data, computing }: { learningRate: number; data: number; computing: number },
): StepEvent {
  const { epoch, step, samples } = progress;
  return {
    type: "step",
    epoch,
    step,
    samples,
    learningRate,
    total,
    mse: series[TRAINING_LOSS],
    series,
    gradientNorm,
    milliseconds: { data, compute: performance.now() - computing },
    rss: process.memoryUsage.rss(),
    elapsed: Date.now() - began,
  };
}

/** @param told what is told of the model at the end */
export function finishedEvent(
  { progress, folder, began }: Pick<Session, "progress" | "folder" | "began">,
  reason: FinishReason,
  told: Pick<FinishedEvent, "skill" | "verdict" | "toldOn" | "averaging">,
): FinishedEvent {
  const { epoch, step, samples, lastLoss } = progress;
  const { id, resultsDir, modelsDir } = folder;
  return {
    type: "finished",
    reason,
    runId: id,
    epoch,
    step,
    samples,
    loss: lastLoss,
    ...told,
    resultsDir,
    modelsDir,
    milliseconds: Date.now() - began,
  };
}
