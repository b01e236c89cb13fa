/** Which runs stand on which: what is told of their parents and of the weights that they started from. */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { parseFields } from "../config/fields.js";
import { runIdsOf } from "../config/runId.js";
import { readConfigFile } from "../config/text/files.js";
import type { RunConfig } from "../config/types.js";
import { AtmorepError } from "../errors.js";
import { openSafetensors } from "../formats/safetensors.js";
import { presentCheckpoints } from "./checkpoint.js";
import { parseState } from "./checkpointState.js";
import { configPath, runFolder } from "./folder.js";
import { readProvenance } from "./provenance.js";

export interface Dependent {
  /** the run that depends on another */
  id: string;
  /** such as `goes on from it` */
  how: string;
}

/**
 * Which runs below `out` depend on which, by the id depended on. Runs elsewhere are not known.
 * @param except runs that are not asked what they depend on
 * @throws AtmorepError (input) if a run does not let itself be asked
 */
export async function dependents(out: string, except: ReadonlySet<string>): Promise<Map<string, Dependent[]>> {
  const found = new Map<string, Dependent[]>();
  for (const id of await runIdsBelow(out)) {
    if (except.has(id)) continue;
    const of = await dependsOn(out, id).catch((cause) => {
      throw new AtmorepError("input", "what this run depends on cannot be read, so nothing is removed", {
        where: runFolder(out, id).modelsDir,
        found: cause instanceof Error ? cause.message : String(cause),
        fix: `Mend it, or remove it first: npx atmorep runs rm ${id}`,
        cause,
      });
    });
    for (const [other, how] of of) found.set(other, [...(found.get(other) ?? []), { id, how }]);
  }
  return found;
}

/** Every run below `out`, whatever it has left. */
export async function runIdsBelow(out: string): Promise<string[]> {
  const names = await Promise.all(["results", "models"].map((home) => readdir(join(out, home)).catch(() => [])));
  return [...new Set(runIdsOf(names.flat()))].sort();
}

/** The runs that a run stands on, and how. */
async function dependsOn(out: string, id: string): Promise<Map<string, string>> {
  const folder = runFolder(out, id);
  const of = new Map<string, string>();
  for (const { parent, startedFrom } of await readProvenance(folder)) {
    if (parent) of.set(parent.runId, "goes on from it");
    for (const { runId } of startedFrom) if (runId) of.set(runId, "starts from its weights");
  }
  // runs of earlier versions tell in their checkpoints and configurations alone
  for (const path of presentCheckpoints(folder.checkpointDir, "latest")) {
    const file = await openSafetensors(path);
    await file.close();
    const state = parseState(file.metadata.get("state") ?? "");
    if (typeof state !== "string" && state.parent) of.set(state.parent.runId, "goes on from it");
  }
  const path = [folder.modelsDir, folder.resultsDir].map((dir) => configPath(dir, id)).find((file) => existsSync(file));
  const config = path === undefined ? null : (readConfigFile(path).values as unknown as RunConfig);
  for (const { pretrained } of config ? parseFields(config) : []) {
    if (pretrained) of.set(pretrained.runId, "starts a field from its weights");
  }
  of.delete(id);
  return of;
}
