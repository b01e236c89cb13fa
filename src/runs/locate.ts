/** Runs by their id, by a path, or as an object that knows its id. */
import { dirname, resolve } from "node:path";
import { AtmorepError } from "../errors.js";
import { parseRunReference } from "./folder.js";

/** `ab12cd34`, a path to `results/idab12cd34`, or what `train` and `start` return. */
export type RunReference = string | { runId: string; out?: string };

export interface RunPlace {
  id: string;
  /** folder that holds `results/` and `models/` */
  out: string;
}

/** @throws AtmorepError (usage) if it names no run */
export function runPlace(run: RunReference, out?: string): RunPlace {
  if (typeof run !== "string") return { id: run.runId, out: out ?? run.out ?? "." };
  if (run === undefined || run === "") throw new AtmorepError("usage", "no run is named", { where: "run" });
  const { id } = parseRunReference(run);
  const isPath = /[/\\]/.test(run);
  return { id, out: out ?? (isPath ? dirname(dirname(resolve(run))) : ".") };
}
