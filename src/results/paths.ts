/** Names of the stores that a validation or an evaluation writes beside a run's metrics. */
import { join } from "node:path";

/** What the network saw, was to predict, predicted, and its members. */
export const RESULT_KINDS = ["source", "target", "pred", "ens"] as const;
export type ResultKind = (typeof RESULT_KINDS)[number];

/** Of a global evaluation: what was to be predicted and what was, on the store's whole grid. */
export const GLOBAL_KINDS = ["target", "pred"] as const;
export type GlobalKind = (typeof GLOBAL_KINDS)[number];

/** Epochs, samples, levels and the like in names: `00042`. */
export const fiveDigits = (n: number): string => String(n).padStart(5, "0");

/** Path of one of a run's stores; `dir` is `results/id<ID>`. */
export function resultPath(
  dir: string,
  runId: string,
  epoch: number,
  kind: ResultKind | "attention" | `global_${GlobalKind}`,
): string {
  return join(dir, `results_id${runId}_epoch${fiveDigits(epoch)}_${kind}.zarr`);
}

/** The stores of one validation that a file's name belongs to; `prefix` is what their names have in common. */
export interface ResultName {
  prefix: string;
  id: string;
  epoch: number;
}

/** The validations whose stores of `kind` are among some file names. */
export function resultNames(files: readonly string[], kind: ResultKind): ResultName[] {
  return files.flatMap((name) => {
    const match = /^(results_id([a-z0-9]{8})_epoch(-?\d+))_([a-z]+)\.zarr$/.exec(name);
    return match?.[4] === kind ? [{ prefix: match[1], id: match[2], epoch: Number(match[3]) }] : [];
  });
}
