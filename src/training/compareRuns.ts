/** Two or more runs side by side: validation loss by epoch, and the configuration keys that differ. */
import { AtmorepError } from "../errors.js";
import { readRun, validationLoss } from "./runs.js";

export interface RunComparison {
  ids: string[];
  /** per run, one point a validation */
  curves: { epoch: number; step: number; loss: number }[][];
  /** keys whose values are not the same in all runs; a value is undefined where the key is absent */
  differences: { path: string; values: unknown[] }[];
}

/** Keys that differ between any two runs and say nothing about what they compute. */
const OWN_OF_A_RUN = new Set(["wandb_id", "slurm_job_id"]);

/**
 * Compares runs below `out`.
 * @throws AtmorepError (usage) if fewer than two ids are given or one is unknown
 */
export async function compareRuns(out: string, ids: readonly string[]): Promise<RunComparison> {
  if (ids.length < 2) {
    throw new AtmorepError("usage", "comparing needs at least two runs", { where: "ids", found: ids.join(" ") });
  }
  const runs = [];
  for (const id of ids) runs.push(await readRun(out, id));
  const flat = runs.map(({ config }) => flatten(config));
  const paths = [...new Set(flat.flatMap((values) => [...values.keys()]))];
  return {
    ids: [...ids],
    curves: runs.map(({ metrics }) =>
      metrics.flatMap((row) => {
        const loss = validationLoss(row);
        return loss === null ? [] : [{ epoch: row.epoch, step: row.step, loss }];
      }),
    ),
    differences: paths
      .map((path) => ({ path, values: flat.map((values) => values.get(path)) }))
      .filter(({ path, values }) => !OWN_OF_A_RUN.has(path) && new Set(values.map((v) => JSON.stringify(v))).size > 1),
  };
}

/** Leaves by path, written as `--set` takes them: `fields[0][2]`; lists of plain values stay whole. */
function flatten(config: Record<string, unknown>): Map<string, unknown> {
  const leaves = new Map<string, unknown>();
  const visit = (path: string, value: unknown): void => {
    if (Array.isArray(value) && value.some((item) => typeof item === "object" && item !== null)) {
      for (const [i, item] of value.entries()) visit(`${path}[${i}]`, item);
    } else {
      leaves.set(path, value);
    }
  };
  for (const [key, value] of Object.entries(config)) visit(key, value);
  return leaves;
}
