/** Ends work that was done in parts: all must be there. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { AtmorepError } from "../../errors.js";
import { finish } from "./finish.js";
import { allResults } from "./part.js";
import { lockFinalise, readStored, removeUnfinished, type Stored, settle, unfinishedFolder } from "./unfinished.js";

export interface Finalised {
  /** what was built */
  path: string;
  command: string;
  parts: number;
  units: number;
}

/**
 * Writes the metadata of a store, or of a normalisation, whose parts are all done, and puts it in its place.
 * @param out the `--out` of the parts; of `data normalize STORE` the store
 * @throws AtmorepError (usage) if there is nothing unfinished, or naming the parts that are missing
 */
export async function finalise(out: string): Promise<Finalised> {
  const inside = join(out, "normalization");
  const target = !existsSync(unfinishedFolder(out)) && existsSync(unfinishedFolder(inside)) ? inside : out;
  const folder = unfinishedFolder(target);
  const settled = await settle(target);
  if (settled !== null) return ended(target, settled);
  const stored = await storedAt(out, folder);
  const lock = await lockFinalise(folder, out);
  let removed = false;
  try {
    const results = await allResults(stored, folder);
    await finish(stored, target, results);
    await removeUnfinished(target, lock);
    removed = true;
    return ended(target, stored);
  } finally {
    if (!removed) await lock.release();
  }
}

const ended = (path: string, { command, parts, units }: Stored): Finalised => ({ path, command, parts, units });

/** The stored request at `out`. @throws AtmorepError (usage) if there is none */
async function storedAt(out: string, folder: string): Promise<Stored> {
  const stored = await readStored(folder);
  if (stored !== null) return stored;
  throw new AtmorepError("usage", "nothing unfinished here", {
    where: out,
    expected: `the folder ${folder}, which --part writes`,
    fix: "Give the --out of the parts, or the store whose normalisation they computed",
  });
}
