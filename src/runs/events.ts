/** The one stream of events of a run: the command line prints it, a notebook plots it, tests read it. */
import type { RunConfig } from "../config/types.js";
import type { TimesOfSplits } from "../data/gaps.js";
import type { Averaging } from "./toldOn.js";

/** Values of one logged batch or validation by the reference's series names (`training loss`, `mse, velocity_u`, ...). */
export type Series = Record<string, number>;

/** Root mean square errors of one field on the validation points, in physical units and in standard deviations. */
export interface FieldSkill {
  field: string;
  /** which hidden tokens: `all`, or for BERT also `masked`, `noised`, `coarsened`, `chosen` (left as they were) */
  kind: "all" | "masked" | "noised" | "coarsened" | "chosen";
  /** such as `m/s`; empty if unknown */
  unit: string;
  /** points counted */
  points: number;
  /** by name: `model` and each baseline */
  rmse: Record<string, number>;
  rmseNormalized: Record<string, number>;
}

export interface StartedEvent {
  type: "started";
  runId: string;
  config: RunConfig;
  engine: string;
  /** what to do for a faster engine, where none is installed; null where there is nothing to do */
  engineOffer: string | null;
  parameters: number;
  stepsPerEpoch: number;
  plannedSteps: number;
  validationSamples: number;
  /** times drawn from, and those left out because their cubes would cross a gap in the store's times */
  times: TimesOfSplits;
  /** first step to be done; above 1 for a continued run */
  firstStep: number;
  resultsDir: string;
  modelsDir: string;
  /** scores of the simple baselines on the validation points, before any training */
  baselines: FieldSkill[];
  /** where trackers are told of the run, a line each */
  trackers: string[];
}

export interface EpochEvent {
  type: "epoch";
  epoch: number;
  learningRate: number;
}

export interface StepEvent {
  type: "step";
  epoch: number;
  /** optimiser steps over the run and its continuations, from 1 */
  step: number;
  /** training samples seen over all ranks */
  samples: number;
  learningRate: number;
  /** weighted total */
  total: number;
  /** mean over fields of the mean squared error of the ensemble mean */
  mse: number;
  /** every logged series of this step */
  series: Series;
  gradientNorm: number;
  /** milliseconds spent waiting for data and computing */
  milliseconds: { data: number; compute: number };
  /** resident memory, bytes */
  rss: number;
  /** milliseconds since the run (this process) began */
  elapsed: number;
}

export interface ValidatedEvent {
  type: "validated";
  epoch: number;
  step: number;
  /** mean squared error of the mean prediction, averaged over fields */
  loss: number;
  series: Series;
  best: boolean;
  skill: FieldSkill[];
  /** who wins, the model or the best simple baseline, in one sentence */
  verdict: string;
  milliseconds: number;
}

export interface SavedEvent {
  type: "saved";
  kind: "epoch" | "latest" | "best";
  step: number;
  path: string;
}

/** A line of the reference's log, as it stands in `console.log`. */
export interface ConsoleEvent {
  type: "console";
  line: string;
}

export interface WarningEvent {
  type: "warning";
  message: string;
}

export type FinishReason = "completed" | "max-steps" | "max-time" | "interrupted";

export interface FinishedEvent {
  type: "finished";
  reason: FinishReason;
  runId: string;
  epoch: number;
  step: number;
  samples: number;
  /** last validation loss; null if the run was interrupted before any */
  loss: number | null;
  skill: FieldSkill[];
  verdict: string | null;
  /** what skill and verdict were told on: the test where the configuration has one, else validation; null without a verdict */
  toldOn: "validation" | "test" | null;
  /** validation losses of the last weights, averaged and as they are; null without `ema_decay` or without a validation */
  averaging: Averaging | null;
  resultsDir: string;
  modelsDir: string;
  milliseconds: number;
}

export type TrainEvent =
  | StartedEvent
  | EpochEvent
  | StepEvent
  | ValidatedEvent
  | SavedEvent
  | ConsoleEvent
  | WarningEvent
  | FinishedEvent;
