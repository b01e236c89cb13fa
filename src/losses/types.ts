/** Types at the border of the losses. Letters: M masked tokens, D grid points of a token, E members. */
import type { Scalar, Tensor } from "@tensorflow/tfjs-core";

export interface LossInputs {
  /** [M, D] */
  target: Tensor;
  /** [M, D] */
  mean: Tensor;
  /** [M, D] */
  std: Tensor;
  /** [M, E, D] */
  ens: Tensor;
  /** [M, D] cos(latitude) of each grid point; only given if a loss needs it */
  area?: Tensor | null;
  /** [M, D] 1 where a point counts, 0 where it is filled, missing or padding; null: all count */
  valid?: Tensor | null;
}

/** What a loss of your own is handed, so that it need not load TensorFlow.js itself (a second copy would not fit). */
export interface LossTools {
  /** TensorFlow.js as the engine uses it */
  tf: typeof import("@tensorflow/tfjs-core");
  /** sum(x * w) / sum(w), weights [M, D] broadcast to x, null: all 1; adds exactly enough, gradient to x only */
  weightedMean(x: Tensor, weights: Tensor | null): Scalar;
}

/** A loss of your own, for `registerLoss`. */
export interface OwnLoss {
  /** a pure function of TensorFlow.js operations; points with `valid` 0 must not count */
  fn(inputs: LossInputs, tools: LossTools): Scalar;
  /** least number of ensemble members; default 1 */
  members?: number;
  /** true if `area` is read; default false */
  area?: boolean;
  /** one line for config docs and CLI help */
  doc: string;
}

export interface LossEntry {
  fn: (inputs: LossInputs) => Scalar;
  /** least number of ensemble members */
  members: number;
  /** true if `area` is read */
  area: boolean;
  /** one line for config docs and CLI help */
  doc: string;
}
