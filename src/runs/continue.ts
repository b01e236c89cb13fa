/** Continuing a run: its checkpoint, the metrics rows up to it, and removing what came after it. */
import { readdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { openRegular } from "../budgets.js";
import { AtmorepError } from "../errors.js";
import { makeFolder, withAtomicFile } from "../formats/atomic.js";
import {
  type Checkpoint,
  type CheckpointKind,
  type CheckpointState,
  checkpointFiles,
  loadCheckpoint,
  readCheckpoint,
} from "./checkpoint.js";
import { epochOf, removeWeights } from "./digests.js";
import { parseRunReference, type RunFolder, runFolder } from "./folder.js";
import { metricsFault, readMetricsLines } from "./metrics.js";
import { type WeightNames, writeWeightFiles } from "./weightFiles.js";

export interface Continuation {
  runId: string;
  folder: RunFolder;
  checkpoint: Checkpoint;
  /** file that the checkpoint was read from */
  path: string;
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
  const { fault, path, ...checkpoint } = await loadCheckpoint(folder.checkpointDir, which as CheckpointKind);
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
  const metricsLines = lines.slice(0, metricsRows);
  const warnings = [
    ...(fault === null ? [] : [`${fault}; ${whatIsLost(path, checkpoint.state, lines.length)}`]),
    ...[metricsFault(folder.metrics, metricsLines)].filter((text) => text !== null),
  ];
  return { runId: id, folder, checkpoint, path, metricsLines, warning: warnings.join("; ") || null };
}

/** What falling back to an earlier checkpoint costs. */
function whatIsLost(path: string, { step, epoch, metricsRows }: CheckpointState, rows: number): string {
  const later = rows - metricsRows;
  const lost =
    later === 0 ? "nothing is known to be lost" : `${later} later row${later === 1 ? "" : "s"} of metrics are lost`;
  return `${basename(path)} is used instead: step ${step} of epoch ${epoch}; ${lost}, and computed again`;
}

/**
 * Brings what the checkpoint stands on into the run that goes on from it: under a new id, the best weights so far; in
 * place, the checkpoint itself as "latest". Files of the former run's future go. Done before rows are dropped, so that
 * a run killed meanwhile can be continued again.
 */
export async function carryOver(from: Continuation, to: RunFolder, names: WeightNames): Promise<void> {
  const inPlace = from.folder.id === to.id;
  await makeFolder(to.checkpointDir);
  const [latest, former] = checkpointFiles(to.checkpointDir, "latest");
  if (inPlace && from.path !== latest) {
    await copyAtomic(from.path, latest);
    await rm(former, { force: true });
  }
  const best = await bestSoFar(from);
  const [target, formerBest] = checkpointFiles(to.checkpointDir, "best");
  if (best === null) {
    for (const path of [target, formerBest]) await rm(path, { force: true });
    await removeWeights(to.modelsDir, (name) => name.endsWith("_best.mod"));
  } else {
    // in place the weights may be those of a later best whose state was never saved
    if (best !== target) await copyAtomic(best, target);
    const { params, ema } = await readCheckpoint(target);
    await writeWeightFiles(to.modelsDir, to.id, "best", ema ?? params, names);
  }
}

/** The file that holds the checkpoint's best state, which may have been followed by a better one; null if it is gone. */
async function bestSoFar({ folder, checkpoint: { state } }: Continuation): Promise<string | null> {
  if (!state.best) return null;
  for (const path of checkpointFiles(folder.checkpointDir, "best")) {
    const stored = await readCheckpoint(path).catch(() => null);
    // one saved by the validation that ended a run within an epoch still names the best before it
    if (stored?.state.step !== state.best.step) continue;
    if (stored.state.best?.step === state.best.step && stored.state.best.loss === state.best.loss) return path;
  }
  return null;
}

const copyAtomic = (from: string, to: string): Promise<void> =>
  withAtomicFile(to, async (file) => {
    for await (const piece of (await openRegular(from)).createReadStream()) await file.write(piece as Buffer);
  });

/** Removes the numbered files of epochs at or after the checkpoint's (continuing in place). */
export async function trimRun(folder: RunFolder, { checkpoint }: Continuation): Promise<void> {
  const { epoch } = checkpoint.state;
  const isLater = (name: string) => (epochOf(name) ?? -1) >= epoch;
  await removeWeights(folder.modelsDir, isLater);
  for (const name of (await readdir(folder.resultsDir)).filter(isLater)) {
    await rm(join(folder.resultsDir, name), { force: true });
  }
}
