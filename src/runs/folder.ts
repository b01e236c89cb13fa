/** The folders of a run, `results/id<ID>` and `models/id<ID>`, and reading what names a run; ids: `config/runId.ts`. */
import { existsSync } from "node:fs";
import { mkdir, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { configFileName } from "../config/locate.js";
import { assertRunId } from "../config/runId.js";
import { AtmorepError } from "../errors.js";
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

const taken = (dir: string) =>
  new AtmorepError("usage", "a run with this id exists already", {
    where: dir,
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
export async function createExclusively(dir: string): Promise<void> {
  try {
    await mkdir(dirname(dir), { recursive: true });
    await mkdir(dir);
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
