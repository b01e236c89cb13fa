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

export interface LossEntry {
  fn: (inputs: LossInputs) => Scalar;
  /** least number of ensemble members */
  members: number;
  /** true if `area` is read */
  area: boolean;
  /** one line for config docs and CLI help */
  doc: string;
}
