/** The folders of a run, `results/id<ID>` and `models/id<ID>`, and reading what names a run; ids: `config/runId.ts`. */
import { existsSync } from "node:fs";
import { mkdir, readdir, rm, rmdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { configFileName } from "../config/locate.js";
import { assertRunId } from "../config/runId.js";
import { AtmorepError, isAtmorepError } from "../errors.js";
import { isLeftover, makeFolder, syncFolder } from "../formats/atomic.js";
import { systemFault } from "../formats/systemFault.js";

export interface RunFolder {
  id: string;
  resultsDir: string;
  modelsDir: string;
  metrics: string;
  console: string;
  checkpointDir: string;
}

/** Path of run `id`'s configuration in one of its folders. */
export const configPath = (dir: string, id: string): string => join(dir, configFileName(id));

/** Paths of run `id` under `out`; nothing is created. */
export function runFolder(out: string, id: string): RunFolder {
  assertRunId(id);
  const resultsDir = join(out, "results", `id${id}`);
  const modelsDir = join(out, "models", `id${id}`);
  return {
    id,
    resultsDir,
    modelsDir,
    metrics: join(resultsDir, "metrics.jsonl"),
    console: join(resultsDir, "console.log"),
    checkpointDir: join(modelsDir, "checkpoint"),
  };
}

/** Refuses an id that is already taken under `out`. */
export function assertFree(folder: RunFolder): void {
  for (const dir of [folder.resultsDir, folder.modelsDir]) if (existsSync(dir)) throw taken(dir);
}

/** What a run leaves before its first checkpoint: what it was to compute, empty logs, its lock, unfinished files. */
const BEFORE_CHECKPOINT = /^(model_id[a-z0-9]{8}\.json|console\.log|metrics\.jsonl|end\.json|training\.lock(\..+)?)$/;

/**
 * True if a run of this id died before its first checkpoint: there are its folders, without weights, checkpoint, rows of
 * metrics, and anything that somebody else has put there. Its id may be taken again.
 */
export async function isStillborn({ resultsDir, modelsDir, checkpointDir, metrics }: RunFolder): Promise<boolean> {
  if (!existsSync(resultsDir)) return false;
  const names = async (dir: string) => await readdir(dir).catch(() => []);
  const own = (name: string) => BEFORE_CHECKPOINT.test(name) || isLeftover(name);
  const [results, models, checkpoints] = await Promise.all([resultsDir, modelsDir, checkpointDir].map(names));
  if (!results.every(own) || !checkpoints.every(isLeftover)) return false;
  if (!models.every((name) => own(name) || name === basename(checkpointDir))) return false;
  return ((await stat(metrics).catch(() => null))?.size ?? 0) === 0;
}

/**
 * Makes the folders of a run and takes its lock. Those of a run that died before its first checkpoint are emptied: what was
 * looked at before is looked at again under the lock. Of several processes one gets them.
 * @throws AtmorepError (usage) if the id is taken, or nothing can be created there
 */
export async function takeRunFolder<L extends { release(): Promise<void> }>(
  folder: RunFolder,
  lock: () => Promise<L>,
): Promise<L> {
  const { resultsDir, modelsDir, checkpointDir } = folder;
  if (await isStillborn(folder)) await mkdir(modelsDir, { recursive: true });
  else await createRunFolder(folder);
  const held = await lock().catch(async (error) => {
    // an error without a cause tells who holds it; what is his is left alone
    if (isAtmorepError(error) && error.cause === undefined) throw taken(resultsDir, error.details.found);
    for (const dir of [resultsDir, modelsDir]) await rmdir(dir).catch(() => {});
    throw error;
  });
  try {
    if (!(await isStillborn(folder))) throw taken(resultsDir);
    for (const dir of [resultsDir, checkpointDir]) await rm(dir, { recursive: true, force: true });
    await mkdir(resultsDir);
    await syncFolder(dirname(resultsDir));
    return held;
  } catch (error) {
    await held.release();
    throw error;
  }
}

const taken = (dir: string, found?: unknown) =>
  new AtmorepError("usage", "a run with this id exists already", {
    where: dir,
    found,
    fix: "Choose another --run-id, another --out, or continue it with --continue ID --in-place; in a notebook leave runId out, or give { continue: ID, inPlace: true }.",
  });

/**
 * Creates both folders, which must not be there: of two processes that take the same id at once, one wins.
 * @throws AtmorepError (usage) if the id is taken, or nothing can be created there
 */
export async function createRunFolder(folder: RunFolder): Promise<void> {
  await createExclusively(folder.resultsDir);
  try {
    await createExclusively(folder.modelsDir);
  } catch (error) {
    await rmdir(folder.resultsDir).catch(() => {});
    throw error;
  }
}

/** Creates a folder that must not be there. @throws AtmorepError (usage) */
async function createExclusively(dir: string): Promise<void> {
  try {
    await makeFolder(dirname(dir));
    await mkdir(dir);
    await syncFolder(dirname(dir)).catch(async (error) => {
      await rmdir(dir).catch(() => {});
      throw error;
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST" && existsSync(dir)) throw taken(dir);
    throw systemFault(error, "usage", "the folder of the run cannot be created", {
      where: dir,
      fix: "Choose another folder with --out.",
    });
  }
}

/** Splits `RUN[@latest|best|EPOCH]`; also accepts `id<RUN>` and a path to a run's folder. */
export function parseRunReference(reference: string): { id: string; which: string } {
  const match = /^(?:.*[/\\])?(?:id)?([a-z0-9]{8})(?:@(latest|best|-?\d+))?$/.exec(reference);
  if (!match) {
    throw new AtmorepError("usage", "not a run", {
      where: reference,
      expected: "RUN, RUN@latest, RUN@best or RUN@EPOCH, where RUN is 8 characters of a-z and 0-9",
      fix: "List the runs here with: npx atmorep runs",
    });
  }
  return { id: match[1], which: match[2] ?? "latest" };
}
