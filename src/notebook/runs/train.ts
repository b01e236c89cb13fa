/** Training in a cell, with the figure growing under it. */
import type { RunConfig } from "../../config/types.js";
import { gapLine } from "../../data/gaps.js";
import { AtmorepError, isAtmorepError } from "../../errors.js";
import type { FieldSkill, FinishedEvent, StepEvent, TrainEvent } from "../../runs/events.js";
import { readRun } from "../../runs/list.js";
import type { MetricsRow } from "../../runs/metrics.js";
import { validationLoss } from "../../runs/series.js";
import { averagingLine, toldOnLine } from "../../runs/toldOn.js";
import type { TrainOptions } from "../../training/options.js";
import { displayed, figureBundle, type Shown } from "../figure/display.js";
import { displaySender, LiveFigure, type LiveOptions } from "../figure/live.js";
import { formatNumber } from "../figure/text.js";
import type { Figure } from "../figure/types.js";

import { summaryBundle } from "../values/entry.js";
import { trainedSummary } from "../values/run.js";
import type { Point } from "../views/curves.js";
import { durationText } from "../views/progress.js";
import { ratePoints, type TrainingView, trainingFigure } from "../views/training.js";

import { stopButton as buttonOn } from "../widgets/stopButton.js";

import { answersInterrupt, holdInterrupts, interruptible } from "./interrupt.js";
import { runParts } from "./parts.js";

export interface LiveTrainOptions extends TrainOptions, LiveOptions {
  /** file for the run's page, written when it has ended, as `report` writes it */
  report?: string;
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
  rates: Point[];
  gradientNorms: Point[];
  status: string;
  /** steps of the whole run; 0 before it has begun */
  planned: number;
  /** first step of this process */
  firstStep: number;
  /** of the last validation */
  verdict: string;
}

/** A view of a run that has not begun. */
const emptyView = (runId = ""): MutableView => ({
  runId,
  rows: [],
  skills: [],
  baselines: [],
  rates: [],
  gradientNorms: [],
  status: "starting",
  planned: 0,
  firstStep: 1,
  verdict: "",
});

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
  const { onEvent, report, send = displaySender(), now, signal, stopButton = false, ...trainOptions } = options;
  const { train: events } = await import("../../training/train.js");
  const stopped = new AbortController();
  const button = stopButton && send ? buttonOn(send, () => stopped.abort()) : null;
  const live = new LiveFigure({ send: button?.send ?? send, now });
  const view = emptyView(options.runId);
  let finished: FinishedEvent | null = null;
  try {
    await interruptible(signal, async (stop) => {
      for await (const event of events(config, { ...trainOptions, signal: AbortSignal.any([stop, stopped.signal]) })) {
        onEvent?.(event);
        follow(view, event);
        if (event.type === "started") {
          if (options.continue) await addHistory(view, event.runId, options.out ?? ".");
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
  if (report !== undefined) await (await import("../report/report.js")).writeReport(run, { file: report });
  if (run.finished.reason === "interrupted") answersInterrupt(run);
  // With a live figure the curves stand there already.
  return displayed(run, async () => {
    if (!live.active) return figureBundle(run.figure);
    const words = `run ${view.runId}: ${view.status}`;
    return { "text/html": summaryBundle(trainedSummary(run))["text/html"], "text/plain": words };
  });
}

/** What was done before this process: metrics, learning rates, and scores that this notebook has seen. */
async function addHistory(view: MutableView, runId: string, out: string): Promise<void> {
  const details = await readRun(out, runId);
  // one by one: a call takes about 100,000 arguments
  for (const row of details.metrics) view.rows.push(row);
  for (const rate of ratePoints(await runParts(details, out))) view.rates.push(rate);
  const former = last?.();
  if (former && details.metrics.length > 0) {
    const known = new Set(details.metrics.filter((row) => validationLoss(row) !== null).map(({ step }) => step));
    view.skills.push(...former.skills.filter(({ step }) => known.has(step)));
  }
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
      view.planned = event.plannedSteps;
      view.firstStep = event.firstStep;
      view.status = `${event.parameters.toLocaleString("en-US")} parameters, ${event.plannedSteps.toLocaleString("en-US")} steps planned, ${[event.engine, gapLine(event.times), ...event.trackers].join("; ")}`;
      break;
    case "step": {
      const { epoch, step, samples, series, learningRate, gradientNorm } = event;
      view.rows.push({ epoch, step, samples, time: new Date().toISOString(), ...series });
      view.rates.push([step, learningRate]);
      if (Number.isFinite(gradientNorm)) view.gradientNorms.push([step, gradientNorm]);
      view.status = [progressLine(view, event), view.verdict].filter(Boolean).join("\n");
      break;
    }
    case "validated":
      view.rows.push({
        epoch: event.epoch,
        step: event.step,
        samples: 0,
        time: new Date().toISOString(),
        ...event.series,
      });
      view.skills.push({ step: event.step, skill: event.skill });
      view.verdict = event.verdict;
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

/** `step 120 of 500 (24 %), epoch 3, 45 ms a step, 18 s so far, 60 s left` */
function progressLine({ planned, firstStep }: MutableView, { step, epoch, milliseconds, elapsed }: StepEvent): string {
  const share = planned > 0 ? ` of ${planned.toLocaleString("en-US")} (${Math.floor((100 * step) / planned)} %)` : "";
  // with the validations and saves that have been
  const left = ((planned - step) * elapsed) / (step - firstStep + 1) / 1000;
  return [
    `step ${step.toLocaleString("en-US")}${share}`,
    `epoch ${epoch}`,
    `${formatNumber(milliseconds.data + milliseconds.compute)} ms a step`,
    `${durationText(elapsed / 1000)} so far`,
    ...(left > 0 ? [`about ${durationText(left)} left`] : []),
  ].join(", ");
}
