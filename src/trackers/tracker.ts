/** What a tracker of experiments is told of a run, whatever its format. */
import type { RunConfig } from "../config/types.js";
import type { Series } from "../runs/events.js";

/** A run that has begun, or gone on. */
export interface TrackedRun {
  id: string;
  /** folder that holds `results/` and `models/` */
  out: string;
  config: RunConfig;
  engine: string;
  /** first step to be done; above 1 for a continued run */
  firstStep: number;
  /** milliseconds since 1970 */
  began: number;
}

/** What one optimiser step or one validation has logged. */
export interface TrackedRow {
  step: number;
  validation: boolean;
  /** milliseconds since 1970 */
  time: number;
  /** finite numbers alone */
  values: Series;
}

export type TrackedEnd = "finished" | "interrupted" | "failed";

/** Where the numbers of a run go beside its own files. A call that throws ends the tracking, never the training. */
export interface Tracker {
  /** one line for the reader: what is written, and where */
  where: string;
  row(row: TrackedRow): Promise<void>;
  end(end: TrackedEnd): Promise<void>;
}

/** `mse, velocity_u` as `mse/velocity_u`: MLflow takes no commas, and both show what stands before the slash as a group. */
export const grouped = (series: string): string => series.replaceAll(", ", "/");
