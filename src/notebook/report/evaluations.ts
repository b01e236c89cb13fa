/** The evaluations of a run that lie beside it. */
import { existsSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { runIdsOf } from "../../config/runId.js";
import { readScores, type StoredScores } from "../../evaluation/calibration.js";
import { runFolder } from "../../runs/folder.js";

export interface Evaluated {
  id: string;
  stored: StoredScores;
}

/** Newest first. Those whose scores cannot be read are left out: they have pages of their own, which say so. */
export async function evaluationsOf(id: string, out: string): Promise<Evaluated[]> {
  const found: (Evaluated & { written: number })[] = [];
  for (const other of runIdsOf(await readdir(join(out, "results")).catch(() => []))) {
    const { resultsDir } = runFolder(out, other);
    const path = join(resultsDir, "scores.json");
    // that of a run itself was made of its own stores, and names no run
    if (other === id || !existsSync(path)) continue;
    const stored = await readScores(resultsDir).catch(() => null);
    if (stored?.about.run === id) found.push({ id: other, stored, written: (await stat(path)).mtimeMs });
  }
  return found.sort((a, b) => b.written - a.written).map(({ id: own, stored }) => ({ id: own, stored }));
}
