/** The folder of a run as it must be before the first step: new, continued under a new id, or continued in place. */
import { mkdir, rm } from "node:fs/promises";
import { configText } from "../config/text/files.js";
import type { RunConfig } from "../config/types.js";
import { cleanLeftovers, writeFileAtomic } from "../formats/atomic.js";
import { systemFault } from "../formats/systemFault.js";
import { type Continuation, carryOver, trimRun } from "./continue.js";
import { configPath, type RunFolder, takeRunFolder } from "./folder.js";
import { lockRun, type RunLock } from "./lock.js";
import { MetricsLog } from "./metrics.js";
import { madeOfDir } from "./provenance.js";
import type { WeightNames } from "./weightFiles.js";

/**
 * Creates or clears the folders and writes the configuration and the rows so far. A new folder that cannot be filled
 * is removed again.
 * @param taken the lock of a run that is continued in place
 * @throws AtmorepError (usage) if the folder cannot be created, (failed) if it cannot be filled
 */
export async function startFolder(
  folder: RunFolder,
  config: RunConfig,
  names: WeightNames,
  continued: Continuation | null,
  taken: RunLock | null = null,
): Promise<{ metrics: MetricsLog; lock: RunLock }> {
  const { resultsDir, modelsDir, checkpointDir, id } = folder;
  const inPlace = continued?.runId === id;
  let lock = taken;
  if (inPlace) await Promise.all([resultsDir, modelsDir].map((dir) => mkdir(dir, { recursive: true })));
  else lock = await takeRunFolder(folder, () => lockRun(folder));
  try {
    lock ??= await lockRun(folder);
    await Promise.all([resultsDir, modelsDir, checkpointDir].map((dir) => cleanLeftovers(dir)));
    // of a run of this id that was here before
    if (!inPlace) await rm(madeOfDir(folder), { recursive: true, force: true });
    if (continued) await carryOver(continued, folder, names);
    if (inPlace) await trimRun(folder, continued);
    const text = configText(config);
    for (const dir of [resultsDir, modelsDir]) await writeFileAtomic(configPath(dir, id), text);
    return { metrics: await MetricsLog.create(folder.metrics, continued?.metricsLines ?? []), lock };
  } catch (error) {
    await lock?.release();
    if (!inPlace) for (const dir of [resultsDir, modelsDir]) await rm(dir, { recursive: true, force: true });
    throw systemFault(error, "failed", "the run cannot be started", {
      where: resultsDir,
      fix: "Make room, or choose another folder with --out.",
    });
  }
}
