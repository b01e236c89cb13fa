/** Training in a cell, with the figure growing under it. */
import type { RunConfig } from "../../config/types.js";
import { isAtmorepError } from "../../errors.js";
import type { FieldSkill, FinishedEvent, TrainEvent } from "../../runs/events.js";
import type { MetricsRow } from "../../runs/metrics.js";
import { averagingLine, toldOnLine } from "../../runs/toldOn.js";
import type { TrainOptions } from "../../training/options.js";
import { displayed, figureBundle, type Shown } from "../figure/display.js";
import { LiveFigure, type LiveOptions } from "../figure/live.js";
import { formatNumber } from "../figure/text.js";
import type { Figure } from "../figure/types.js";
import { type TrainingView, trainingFigure } from "../views/training.js";
import { interruptible } from "./interrupt.js";

export interface LiveTrainOptions extends TrainOptions, LiveOptions {
  /** sees every event as it comes */
  onEvent?: (event: TrainEvent) => void;
}

/** A run that has ended; shows its curves where it ends a cell without a live figure. */
export interface TrainedRun {
  runId: string;
  /** folder that holds `results/` and `models/` */
  out: string;
  finished: FinishedEvent;
  baselines: FieldSkill[];
  /** the model's scores, validation by validation */
  skills: { step: number; skill: FieldSkill[] }[];
  figure: Figure;
}

interface MutableView extends TrainingView {
  rows: MetricsRow[];
  skills: { step: number; skill: FieldSkill[] }[];
  baselines: FieldSkill[];
  status: string;
}

/**
 * Trains to the end and draws loss terms, validation and the baselines as it goes. An interrupt saves a checkpoint
 * and returns; `train(config, { continue: run.runId })` goes on from there. Run ids are drawn anew each time, so
 * running the cell again is safe.
 * @throws AtmorepError as `train` of the package
 * @example const run = await train(resolveConfig({ preset: "storm" }).config, { maxSteps: 200 });
 */
export async function train(config: RunConfig, options: LiveTrainOptions = {}): Promise<Shown<TrainedRun>> {
  const { onEvent, send, now, signal, ...trainOptions } = options;
  const { train: events } = await import("../../training/train.js");
  const live = new LiveFigure({ send, now });
  const view: MutableView = { runId: options.runId ?? "", rows: [], skills: [], baselines: [], status: "starting" };
  let finished: FinishedEvent | null = null;
  try {
    await interruptible(signal, async (stop) => {
      for await (const event of events(config, { ...trainOptions, signal: stop })) {
        onEvent?.(event);
        follow(view, event);
        if (event.type === "finished") finished = event;
        if (live.due) await live.frame(trainingFigure(view));
      }
    });
  } catch (error) {
    view.status = `stopped by an error: ${isAtmorepError(error) ? error.message : String(error)}`;
    if (view.rows.length > 0) await live.finish(trainingFigure(view));
    throw error;
  }
  const figure = trainingFigure(view);
  await live.finish(figure);
  const run: TrainedRun = {
    runId: view.runId,
    out: options.out ?? ".",
    finished: finished as unknown as FinishedEvent,
    baselines: view.baselines,
    skills: view.skills,
    figure,
  };
  // With a live figure the curves stand there already.
  const words = { "text/plain": `run ${view.runId}: ${view.status}` };
  return displayed(run, async () => (live.active ? words : figureBundle(figure)));
}

/** Takes one event into what the figure shows. */
export function follow(view: MutableView, event: TrainEvent): void {
  switch (event.type) {
    case "started":
      view.runId = event.runId;
      view.baselines = event.baselines;
      view.status = `${event.parameters.toLocaleString("en-US")} parameters, ${event.plannedSteps.toLocaleString("en-US")} steps planned, ${event.engine}`;
      break;
    case "step": {
      const { epoch, step, samples, series, milliseconds, elapsed } = event;
      view.rows.push({ epoch, step, samples, time: "", ...series });
      view.status = `step ${step}, epoch ${epoch}, ${formatNumber(milliseconds.data + milliseconds.compute)} ms a step, ${formatNumber(elapsed / 1000)} s so far`;
      break;
    }
    case "validated":
      view.rows.push({ epoch: event.epoch, step: event.step, samples: 0, time: "", ...event.series });
      view.skills.push({ step: event.step, skill: event.skill });
      if (event.verdict) view.status = event.verdict;
      break;
    case "finished": {
      const ended = {
        completed: "completed",
        "max-steps": "reached its steps",
        "max-time": "reached its time",
        interrupted: "interrupted; a checkpoint is saved",
      };
      view.status = `${ended[event.reason]} after ${event.step} steps. ${event.verdict ?? ""}`.trim();
      if (event.toldOn !== null) view.status += `\n${toldOnLine(event.toldOn)}`;
      if (event.averaging !== null) view.status += `\n${averagingLine(event.averaging)}`;
      break;
    }
  }
}
