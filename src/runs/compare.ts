/** Two or more runs side by side: validation loss by epoch, and the configuration keys that differ. */
import { diffConfigs } from "../config/diff.js";
import type { RunConfig } from "../config/types.js";
import { AtmorepError } from "../errors.js";
import { readRun } from "./list.js";
import { validationLoss } from "./series.js";

export interface RunComparison {
  ids: string[];
  /** per run, one point a validation */
  curves: { epoch: number; step: number; loss: number }[][];
  /** damaged rows of metrics, which are left out; null for a run that has none */
  metricsFaults: (string | null)[];
  /** keys whose values are not the same in all runs; a value is undefined where the key is absent */
  differences: { path: string; values: unknown[] }[];
}

/** Keys that differ between any two runs and say nothing about what they compute. */
export const OWN_OF_A_RUN = new Set(["wandb_id", "slurm_job_id"]);

/**
 * Compares runs below `out`.
 * @throws AtmorepError (usage) if fewer than two ids are given or one is unknown
 */
export async function compareRuns(out: string, ids: readonly string[]): Promise<RunComparison> {
  if (ids.length < 2) {
    throw new AtmorepError("usage", "comparing needs at least two runs", {
      where: "ids",
      found: ids.join(" ") || "none",
      fix: "Name another one; npx atmorep runs --out DIR, or listRuns(DIR) in a notebook, lists them.",
    });
  }
  const runs = [];
  for (const id of ids) runs.push(await readRun(out, id));
  return {
    ids: [...ids],
    curves: runs.map(({ metrics }) =>
      metrics.flatMap((row) => {
        const loss = validationLoss(row);
        return loss === null ? [] : [{ epoch: row.epoch, step: row.step, loss }];
      }),
    ),
    metricsFaults: runs.map(({ metricsFault }) => metricsFault),
    differences: differences(runs.map(({ config }) => config)),
  };
}

/** Keys of configurations whose values are not the same in all; runs' own ids aside. */
export function differences(configs: readonly RunConfig[]): RunComparison["differences"] {
  const [first, ...others] = configs;
  const found = others.map((config) => new Map(diffConfigs(first, config).map((d) => [d.path, d])));
  const paths = new Map(found.flatMap((own) => [...own].map(([path, { a }]) => [path, a] as const)));
  return [...paths]
    .filter(([path]) => !OWN_OF_A_RUN.has(path))
    .map(([path, a]) => ({ path, values: [a, ...found.map((of) => (of.has(path) ? of.get(path)?.b : a))] }));
}
