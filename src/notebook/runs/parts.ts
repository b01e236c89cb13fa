/** A run and those that it goes on from: whose steps were done under which configuration. */
import { runFolder } from "../../runs/folder.js";
import { type RunDetails, readRun } from "../../runs/list.js";
import { readProvenance } from "../../runs/provenance.js";
import type { RunPart } from "../views/training.js";

/**
 * The parts of a run's metrics, each with the configuration of its run; a parent that was removed is left out.
 * @param sessionsOf what made a run
 */
export async function runParts(
  { id, config, metrics }: Pick<RunDetails, "id" | "config" | "metrics">,
  out: string,
  sessionsOf = readProvenance,
): Promise<(RunPart & { id: string })[]> {
  const parts = [{ id, config, rows: metrics }];
  for (let at = id; ; ) {
    const parent = (await sessionsOf(runFolder(out, at))).at(-1)?.parent;
    const former = parent && (await readRun(out, parent.runId).catch(() => null));
    // a ring of folders that somebody renamed
    if (!former || parts.length > metrics.length) return parts;
    const { rows } = parts[0];
    parts[0] = { ...parts[0], rows: rows.filter(({ step }) => step > parent.step) };
    parts.unshift({ id: former.id, config: former.config, rows: rows.filter(({ step }) => step <= parent.step) });
    at = parent.runId;
  }
}
