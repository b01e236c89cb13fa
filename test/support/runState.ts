/** What two runs must share to count as the same run. */
import { existsSync } from "node:fs";
import { loadCheckpoint } from "../../src/runs/checkpoint.js";
import { runFolder } from "../../src/runs/folder.js";
import { readMetrics } from "../../src/runs/metrics.js";
import { readWeights, weightPath } from "../../src/runs/weightFiles.js";

/** Checkpoint, metrics rows and weights of a run; times, run ids and parents are left out. */
export async function stateOf(out: string, id: string) {
  const folder = runFolder(out, id);
  const { state, params, moments, ema } = await loadCheckpoint(folder.checkpointDir, "latest");
  const metrics = (await readMetrics(folder.metrics)).map(({ time: _time, ...row }) => row);
  const weights = await readWeights(weightPath(folder.modelsDir, id, "latest"));
  const bestPath = weightPath(folder.modelsDir, id, "best");
  const best = existsSync(bestPath) ? await readWeights(bestPath) : null;
  return { state: { ...state, runId: "", parent: null }, params, moments, ema, metrics, weights, best };
}
