/** Continuing a run: its checkpoint, the metrics rows up to it, and removing what came after it. */
import { copyFile, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { AtmorepError } from "../errors.js";
import { type Checkpoint, type CheckpointKind, loadCheckpoint } from "./checkpoint.js";
import { readMetricsLines } from "./metrics.js";
import { parseRunReference, type RunFolder, runFolder } from "./runFolder.js";

export interface Continuation {
  runId: string;
  folder: RunFolder;
  checkpoint: Checkpoint;
  /** rows written before the checkpoint was saved */
  metricsLines: string[];
  warning: string | null;
}

/**
 * Reads `RUN[@latest|best]` below `out`.
 * @throws AtmorepError (usage) for a numbered epoch, which holds weights only, or a missing run
 */
export async function readContinuation(out: string, reference: string): Promise<Continuation> {
  const { id, which } = parseRunReference(reference);
  if (which !== "latest" && which !== "best") {
    throw new AtmorepError("usage", "a numbered epoch holds weights only", {
      where: `--continue ${reference}`,
      expected: "RUN, RUN@latest or RUN@best",
      fix: `To start from its weights: --init-from ${id}@${which}`,
    });
  }
  const folder = runFolder(out, id);
  const { warning, ...checkpoint } = await loadCheckpoint(folder.checkpointDir, which as CheckpointKind);
  const lines = await readMetricsLines(folder.metrics);
  const { metricsRows } = checkpoint.state;
  if (lines.length < metricsRows) {
    throw new AtmorepError("input", "rows are missing before the checkpoint", {
      where: folder.metrics,
      found: `${lines.length} rows`,
      expected: `at least ${metricsRows}`,
      fix: "The file was shortened; --init-from takes the weights alone.",
    });
  }
  return { runId: id, folder, checkpoint, metricsLines: lines.slice(0, metricsRows), warning };
}

/** Brings the best weights so far into a run continued under a new id, so that its "best" is complete too. */
export async function carryBest(from: Continuation, to: RunFolder): Promise<void> {
  const { best } = from.checkpoint.state;
  if (!best || from.folder.id === to.id) return;
  const stored = await loadCheckpoint(from.folder.checkpointDir, "best").catch(() => null);
  if (stored?.state.best?.step !== best.step || stored.state.best.loss !== best.loss) return;
  await mkdir(to.checkpointDir, { recursive: true });
  await copyFile(stored.path, join(to.checkpointDir, "best.safetensors"));
  for (const name of await readdir(from.folder.modelsDir)) {
    if (!name.endsWith("_best.mod")) continue;
    const renamed = name.replace(`id${from.folder.id}`, `id${to.id}`);
    await copyFile(join(from.folder.modelsDir, name), join(to.modelsDir, renamed));
  }
}

/** Removes the numbered files of epochs at or after the checkpoint's (continuing in place). */
export async function trimRun(folder: RunFolder, { checkpoint }: Continuation): Promise<void> {
  const { epoch } = checkpoint.state;
  for (const [dir, pattern] of [
    [folder.modelsDir, /_epoch(\d+)\.mod$/],
    [folder.resultsDir, /_epoch(\d+)_[a-z]+\.zarr$/],
  ] as const) {
    for (const name of await readdir(dir)) {
      const match = pattern.exec(name);
      if (match && Number(match[1]) >= epoch) await rm(join(dir, name), { force: true });
    }
  }
}
