/** A run at work: what it was opened with, and where it stands. */
import type { PlainBatch } from "../batches/plain.js";
import type { Field, PredictedField, RunConfig } from "../config/types.js";
import type { Store } from "../data/store.js";
import type { Draw } from "../data/types.js";
import type { Communicator } from "../distributed/index.js";
import type { Engine } from "../engine/index.js";
import type { MaskStreams } from "../masking/index.js";
import type { CheckpointState, ConsoleSums } from "../runs/checkpoint.js";
import type { RunFolder } from "../runs/folder.js";
import type { MetricsLog } from "../runs/metrics.js";
import type { Provenance } from "../runs/provenance.js";
import type { StepModel, TrainState } from "../step/step.js";
import type { TrainOptions } from "./options.js";

/** Where the run stands; what a checkpoint holds beside the tensors. */
export type Progress = Omit<CheckpointState, "format" | "madeBy" | "parent" | "runId" | "metricsRows" | "masking">;

/** What a validation changes in a state; at the end of an epoch also the place in it. */
export type BeforeValidation = Pick<CheckpointState, "metricsRows" | "best" | "lastLoss"> &
  Partial<Pick<CheckpointState, "epoch" | "batch" | "console">>;

export interface Session {
  /** when it was opened, milliseconds */
  began: number;
  config: RunConfig;
  options: TrainOptions;
  communicator: Communicator;
  /** true in the process that writes the run's files */
  writes: boolean;
  fields: Field[];
  predicted: PredictedField[];
  model: StepModel;
  store: Store;
  engine: Engine;
  folder: RunFolder;
  /** the run that this one goes on from under another id */
  parent: CheckpointState["parent"];
  /** what makes the run */
  provenance: Provenance;
  metrics: MetricsLog;
  /** of each epoch */
  learningRates: Float64Array;
  /** random streams of the training batches' masks */
  masks: MaskStreams;
  state: TrainState;
  progress: Progress;
  /** while a validation is told: the state before it */
  unfinished: Required<BeforeValidation> | null;
  warnings: string[];
  /** fixed draws of every validation */
  validationDraws: Draw[];
  /** draws of the test; null if the configuration has none */
  testDraws: Draw[] | null;
  /** the one batch of `overfit`, once it has been read */
  overfitBatch: PlainBatch | null;
  /** true: it was stopped while it waited for data, for which nobody waits any more */
  abandoned: boolean;
  /** draws of an epoch, one a batch */
  draws(epoch: number): Draw[];
  close(): Promise<void>;
}

export const emptySums = (): ConsoleSums => ({ printed: 0, batches: 0, total: 0, mse: 0 });
