/** Training in a cell, with the figure growing under it. */
import type { RunConfig } from "../../config/types.js";
import { gapLine } from "../../data/gaps.js";
import { AtmorepError, isAtmorepError } from "../../errors.js";
import type { FieldSkill, FinishedEvent, TrainEvent } from "../../runs/events.js";
import { runFolder } from "../../runs/folder.js";
import { type MetricsRow, readMetrics } from "../../runs/metrics.js";
import { averagingLine, toldOnLine } from "../../runs/toldOn.js";
import type { TrainOptions } from "../../training/options.js";
import { displayed, figureBundle, type Shown } from "../figure/display.js";
import { displaySender, LiveFigure, type LiveOptions } from "../figure/live.js";
import { formatNumber } from "../figure/text.js";
import type { Figure } from "../figure/types.js";
import { type TrainingView, trainingFigure } from "../views/training.js";
import { stopButton as buttonOn } from "../widgets/stopButton.js";
import { answersInterrupt, holdInterrupts, interruptible } from "./interrupt.js";

export interface LiveTrainOptions extends TrainOptions, LiveOptions {
  /** sees every event as it comes */
  onEvent?: (event: TrainEvent) => void;
  /** a button above the figure that stops the run as an interrupt of the kernel does, where there are widgets; the cell goes on */
  stopButton?: boolean;
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

/** The run that was trained last; without its end, if an error came or the cell was ended by force. */
export interface LastRun extends Omit<TrainedRun, "finished"> {
  finished: FinishedEvent | null;
}

let last: (() => LastRun) | null = null;

/**
 * The run that this notebook has trained last, or is training: also after an error or an interrupt.
 * @throws AtmorepError (usage) if there is none
 * @example await nb.train(config, { continue: nb.lastRun().runId });
 */
export function lastRun(): LastRun {
  if (last) return last();
  throw new AtmorepError("usage", "no run has been trained in this notebook", {
    where: "lastRun",
    fix: "runs of other processes are listed by listRuns, and continued by their id.",
  });
}

interface MutableView extends TrainingView {
  rows: MetricsRow[];
  skills: { step: number; skill: FieldSkill[] }[];
  baselines: FieldSkill[];
  status: string;
}

/**
 * Trains to the end and draws loss terms, validation and the baselines as it goes. An interrupt finishes the step at
 * work, saves a checkpoint and returns the run, `finished.reason` being "interrupted"; `train(config, { continue:
 * run.runId })` goes on from there, or, after an error too, `lastRun().runId`. A second interrupt stops at once, without
 * saving. Run ids are drawn anew each time, so running the cell again is safe.
 * @throws AtmorepError as `train` of the package
 * @example const run = await train(resolveConfig({ preset: "storm" }).config, { maxSteps: 200 });
 */
export async function train(config: RunConfig, options: LiveTrainOptions = {}): Promise<Shown<TrainedRun>> {
  // up to the last frame of the figure
  const release = holdInterrupts();
  try {
    return await trainHeld(config, options);
  } finally {
    release();
  }
}

async function trainHeld(config: RunConfig, options: LiveTrainOptions): Promise<Shown<TrainedRun>> {
  const { onEvent, send = displaySender(), now, signal, stopButton = false, ...trainOptions } = options;
  const { train: events } = await import("../../training/train.js");
  const stopped = new AbortController();
  const button = stopButton && send ? buttonOn(send, () => stopped.abort()) : null;
  const live = new LiveFigure({ send: button?.send ?? send, now });
  const view: MutableView = { runId: options.runId ?? "", rows: [], skills: [], baselines: [], status: "starting" };
  let finished: FinishedEvent | null = null;
  try {
    await interruptible(signal, async (stop) => {
      for await (const event of events(config, { ...trainOptions, signal: AbortSignal.any([stop, stopped.signal]) })) {
        onEvent?.(event);
        follow(view, event);
        if (event.type === "started") {
          // of a run that goes on, what its parent has done
          if (options.continue) {
            for (const row of await readMetrics(runFolder(options.out ?? ".", event.runId).metrics))
              view.rows.push(row);
          }
          last = () => runOf(view, options, null);
        }
        if (event.type === "finished") finished = event;
        if (live.due) await live.frame(trainingFigure(view));
      }
    });
  } catch (error) {
    view.status = `stopped by an error: ${isAtmorepError(error) ? error.message : String(error)}`;
    if (view.rows.length > 0) await live.finish(trainingFigure(view));
    button?.close();
    throw error;
  }
  const run = runOf(view, options, finished) as TrainedRun;
  last = () => run;
  await live.finish(run.figure);
  button?.close();
  if (run.finished.reason === "interrupted") answersInterrupt(run);
  // With a live figure the curves stand there already.
  const words = { "text/plain": `run ${view.runId}: ${view.status}` };
  return displayed(run, async () => (live.active ? words : figureBundle(run.figure)));
}

function runOf(view: MutableView, { out = "." }: LiveTrainOptions, finished: FinishedEvent | null): LastRun {
  const { runId, baselines, skills } = view;
  return { runId, out, finished, baselines, skills, figure: trainingFigure(view) };
}

/** Takes one event into what the figure shows. */
export function follow(view: MutableView, event: TrainEvent): void {
  switch (event.type) {
    case "started":
      view.runId = event.runId;
      view.baselines = event.baselines;
      view.status = `${event.parameters.toLocaleString("en-US")} parameters, ${event.plannedSteps.toLocaleString("en-US")} steps planned, ${[event.engine, gapLine(event.times), ...event.trackers].join("; ")}`;
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
