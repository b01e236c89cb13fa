/** Result stores written by ours from what a golden run's validation saw. */
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { RunConfig } from "../../src/config/types.js";
import { RESULT_KINDS, resultPath } from "../../src/results/paths.js";
import { readCase } from "../../src/verify/case.js";
import { writeOurs } from "../../src/verify/kinds/runStores.js";

/** @returns paths of ours and of the original's, in the order source, target, pred, ens */
export async function writeGoldenResults(folder: string, dir: string) {
  const golden = await readCase(dirname(folder), folder.slice(dirname(folder).length + 1));
  const config = golden.config as RunConfig;
  const runId = String(golden.values.run_id);
  const results = join(folder, "results", `id${runId}`);
  const target = readdirSync(results).find((name) => name.endsWith("_target.zarr"));
  const epoch = Number(/_epoch(\d+)_/.exec(target ?? "")?.[1]);
  await writeOurs(golden, config, { dir, runId, epoch });
  const at = (place: string) => RESULT_KINDS.map((kind) => resultPath(place, runId, epoch, kind));
  return { paths: at(dir), theirs: at(results), config };
}
