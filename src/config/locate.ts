/** Where the configuration of a run lies. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { assertFile } from "../budgets.js";
import { AtmorepError } from "../errors.js";
import { nearestName } from "./nearest.js";
import { RUN_ID, runIdsOf } from "./runId.js";

/** Name of a run's configuration in its folders. */
export const configFileName = (id: string): string => `model_id${id}.json`;

/** Whether a file is named as a run's configuration is. */
export const isConfigFileName = (name: string): boolean => /^model_id[a-z0-9]{8}\.json$/.test(name);

/**
 * The configuration file that `target` names: a file, a folder of a run, or a run id under `out`.
 *
 * @param out folder that holds `results/` and `models/`
 * @throws AtmorepError `usage` if there is none
 */
export function locateConfig(target: string, out = "."): string {
  if (existsSync(target)) {
    const info = statSync(target);
    assertFile(info, target);
    if (info.isFile()) return target;
    const inside = readdirSync(target).find(isConfigFileName);
    if (inside) return join(target, inside);
  }
  // the last is where the reference puts its second copy, by a slip
  const homes = ["models", "results", join("results", "models")].map((home) => join(out, home));
  const id = target.replace(/^id(?=[a-z0-9]{8}$)/, "").replace(/@.*$/, "");
  if (RUN_ID.test(id)) {
    const found = homes.map((home) => join(home, `id${id}`, configFileName(id))).find((path) => existsSync(path));
    if (found) return found;
  }
  const runs = homes.filter((home) => existsSync(home)).flatMap((home) => readdirSync(home));
  const ids = [...new Set(runIdsOf(runs))];
  const nearest = nearestName(id, ids);
  throw new AtmorepError("usage", "neither a configuration file nor a run", {
    where: target,
    expected: `a JSON file, or the id of a run in ${out}${ids.length ? ` (${ids.slice(0, 8).join(", ")})` : ""}`,
    fix: nearest ? `Did you mean ${nearest}?` : "Name the folder that holds results/ and models/ with --out",
  });
}
