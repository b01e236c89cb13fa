/** What an evaluation is asked, and what it gives. */
import type { OwnName } from "../config/kinds.js";
import type { Communicator } from "../distributed/index.js";
import type { CalibrationReport, ScoreReport } from "../scores/index.js";
import type { ModeName } from "./modes.js";

export interface EvaluateRequest {
  /** `RUN[@latest|best|EPOCH]`, below `out` or a path to its folder; default the run whose weights are newest */
  run?: string;
  /** default: the strategy that the run was trained with */
  mode?: ModeName | OwnName;
  /** overrides of the configuration or of the mode's options, such as `fields[0][2]=[123]`, `position=[50,8]` */
  set?: readonly string[];
  data?: string;
  /** which times to draw: default the test where the run has `dates_test`, unless validation's period is overwritten */
  split?: "validation" | "test";
  /** folder that holds the run's `models/` and gets `results/id<NEW>`; default the current one */
  out?: string;
  /** id of the evaluation; default random */
  runId?: string;
  /** cubes of a roll-out; default 1 */
  rollout?: number;
  /** an earlier evaluation of other times, whose parameters of post-hoc calibration are applied; default: cross-fitted */
  calibration?: string;
  engine?: "auto" | "native" | "wasm";
  /** write result stores (default true) */
  stores?: boolean;
  signal?: AbortSignal;
  /** processes that share the predictions, each with the same request, of which the first writes; default this one alone */
  communicator?: Communicator;
  onProgress?: (done: number, total: number) => void;
  onWarning?: (message: string) => void;
}

export interface Evaluation {
  /** id of the evaluation, under which its files lie */
  runId: string;
  /** the run evaluated, and which of its weights */
  run: string;
  weights: string;
  mode: string;
  samples: number;
  scores: ScoreReport;
  /** diagrams of calibration and post-hoc calibration; null for one member */
  calibration: CalibrationReport | null;
  /** what stands beside the scores in `scores.json` */
  about: Record<string, unknown>;
  /** who wins, in one sentence */
  verdict: string;
  /** which times that is told on, in one line */
  toldOn: string;
  resultsDir: string;
  files: string[];
}
