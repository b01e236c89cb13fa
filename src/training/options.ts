import type { Communicator } from "../distributed/index.js";

/** Options of a training run that are not part of its configuration. */
export interface TrainOptions {
  /** folder that holds `results/` and `models/`; default the current one */
  out?: string;
  /** 8 characters of a-z and 0-9; default random */
  runId?: string;
  /** `RUN[@latest|best]`: exact continuation */
  continue?: string;
  /** continue under the same run id */
  inPlace?: boolean;
  /** `RUN[@EPOCH]` or a weights file: starting weights only */
  initFrom?: string;
  /** with `initFrom`: tensors that the file lacks keep their random start */
  acceptMissing?: boolean;
  /** with `initFrom`: tensors that the network lacks are left out */
  acceptUnexpected?: boolean;
  /** optimiser steps of the whole run, continued ones included */
  maxSteps?: number;
  /** milliseconds */
  maxTime?: number;
  engine?: "auto" | "native" | "wasm";
  /** train on the same N samples, masked alike, every step */
  overfit?: number;
  /** folder that a relative `file_path` is taken from first; default the current one */
  folder?: string;
  /** stops the run after the step in progress, with a checkpoint */
  signal?: AbortSignal;
  /** arguments of the command line, to be told with the run; default none */
  command?: readonly string[];
  /** the processes that train together, of `openCommunicator`; default this one alone */
  communicator?: Communicator;
}
