/** Removing runs, and of runs that have ended what only their past needs. Nothing goes that another run depends on. */
import { existsSync } from "node:fs";
import { readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { AtmorepError } from "../errors.js";
import { verifySafetensors } from "../formats/safetensors.js";
import { checkpointFiles } from "./checkpoint.js";
import { dependents, runIdsBelow } from "./dependents.js";
import { epochOf, removeWeights } from "./digests.js";
import { type RunFolder, runFolder } from "./folder.js";
import { readRun } from "./list.js";
import { lockRun, type RunLock } from "./lock.js";
import { madeOfDir } from "./provenance.js";

/** What of a run would go. */
export interface Removal {
  id: string;
  /** files, or the run's folders */
  paths: string[];
  bytes: number;
}

export interface RemovalPlan {
  removals: Removal[];
  /** runs that stay as they are, and why */
  kept: { id: string; why: string }[];
}

/**
 * What removing whole runs would remove.
 * @throws AtmorepError (usage) if one is not there, is at work, or another run that stays depends on it
 */
export async function planRemoval(out: string, ids: readonly string[]): Promise<RemovalPlan> {
  const going = new Set(ids);
  const on = await dependents(out, going);
  const removals: Removal[] = [];
  for (const id of going) {
    const folder = runFolder(out, id);
    const paths = [folder.resultsDir, folder.modelsDir].filter((dir) => existsSync(dir));
    if (paths.length > 0 && existsSync(madeOfDir(folder))) paths.push(madeOfDir(folder));
    if (paths.length === 0) {
      throw new AtmorepError("usage", "there is no such run", {
        where: folder.resultsDir,
        fix: "List the runs with: npx atmorep runs --out DIR",
      });
    }
    const [first] = on.get(id) ?? [];
    if (first) {
      throw new AtmorepError("usage", `run ${first.id} ${first.how}`, {
        where: id,
        fix: `Keep it, or remove both: npx atmorep runs rm ${id} ${first.id}`,
      });
    }
    const why = await atWork(out, id);
    if (why) throw new AtmorepError("usage", why, { where: id, fix: "Stop it first, or wait." });
    removals.push({ id, paths, bytes: await bytesOf(paths) });
  }
  return { removals, kept: [] };
}

/**
 * What pruning would remove: numbered weights but those of the newest `keep` epochs, and the checkpoint before the last
 * where the last is in order. The latest and the best weights and what training goes on from stay.
 * @param ids default: every run below `out`
 */
export async function planPruning(out: string, ids: readonly string[], keep: number): Promise<RemovalPlan> {
  const plan: RemovalPlan = { removals: [], kept: [] };
  const on = await dependents(out, new Set());
  for (const id of ids.length > 0 ? ids : await runIdsBelow(out)) {
    const folder = runFolder(out, id);
    if (!existsSync(folder.modelsDir)) continue;
    const [first] = on.get(id) ?? [];
    const why = first ? `run ${first.id} ${first.how}` : await atWork(out, id);
    const paths = why ? [] : await prunable(folder, keep);
    if (why) plan.kept.push({ id, why });
    else if (paths.length > 0) plan.removals.push({ id, paths, bytes: await bytesOf(paths) });
  }
  return plan;
}

async function prunable(folder: RunFolder, keep: number): Promise<string[]> {
  const names = (await readdir(folder.modelsDir)).filter((name) => name.endsWith(".mod") && epochOf(name) !== null);
  const epochs = [...new Set(names.map((name) => epochOf(name) as number))].sort((a, b) => b - a).slice(keep);
  const weights = names.filter((name) => epochs.includes(epochOf(name) as number));
  const former: string[] = [];
  for (const kind of ["latest", "best"] as const) {
    const [newest, before] = checkpointFiles(folder.checkpointDir, kind);
    if (!existsSync(before) || !existsSync(newest)) continue;
    if (await verifySafetensors(newest).catch(() => false)) former.push(before);
  }
  return [...weights.map((name) => join(folder.modelsDir, name)), ...former];
}

/**
 * Does what a plan of `planRemoval` or `planPruning` says, each run under its lock.
 * @throws AtmorepError (usage) if a run has been taken up meanwhile
 */
export async function remove(out: string, { removals }: RemovalPlan): Promise<void> {
  for (const { id, paths } of removals) {
    const folder = runFolder(out, id);
    const lock = await lockOf(folder);
    try {
      if (paths.includes(folder.resultsDir) || paths.includes(folder.modelsDir)) await removeWhole(paths);
      else {
        const weights = new Set(paths.filter((path) => path.endsWith(".mod")).map((path) => basename(path)));
        await removeWeights(folder.modelsDir, (name) => weights.has(name));
        for (const path of paths) await rm(path, { force: true });
      }
    } finally {
      await lock?.release();
    }
  }
}

/** First out of sight, then gone: a run that is half removed is no run. */
async function removeWhole(dirs: readonly string[]): Promise<void> {
  const aside = dirs.map((dir) => join(dirname(dir), `.removed-${basename(dir)}-${process.pid}`));
  for (const [i, dir] of dirs.entries()) await rename(dir, aside[i]);
  for (const dir of aside) await rm(dir, { recursive: true, force: true });
}

const lockOf = async (folder: RunFolder): Promise<RunLock | null> =>
  existsSync(folder.modelsDir) ? await lockRun(folder) : null;

/** Why a run is to be left alone; null if nobody is at it. */
async function atWork(out: string, id: string): Promise<string | null> {
  try {
    const lock = await lockOf(runFolder(out, id));
    await lock?.release();
  } catch (error) {
    if (error instanceof AtmorepError) return "another process trains this run";
    throw error;
  }
  // where there are no locks, or a file system keeps them apart, its rows tell
  const status = await readRun(out, id).then(
    (run) => run.status,
    () => null,
  );
  return status === "running" ? "it may be at work: its metrics changed within the last two minutes" : null;
}

async function bytesOf(paths: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const path of paths) {
    const info = await stat(path);
    if (!info.isDirectory()) bytes += info.size;
    else bytes += await bytesOf((await readdir(path)).map((name) => join(path, name)));
  }
  return bytes;
}
