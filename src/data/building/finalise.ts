/** Ends work that was done in parts: all must be there. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { AtmorepError } from "../../errors.js";
import { ownerOf } from "../../parts.js";
import { doneUnits, finish, storedAt } from "./build.js";
import { lockFinalise, removeUnfinished, type Stored, settle, storeOf, unfinishedFolder } from "./unfinished.js";

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

/** @throws AtmorepError (usage) naming the parts that are not done */
async function allResults(stored: Stored, folder: string): Promise<unknown[]> {
  const results = new Map<number, unknown>();
  for (let number = 1; number <= stored.parts; number++) {
    const done = await doneUnits(folder, { number, of: stored.parts }, storeOf(folder));
    for (const [unit, { result }] of done) results.set(unit, result);
  }
  const missing = new Map<number, number>();
  for (let unit = 0; unit < stored.units; unit++) {
    if (results.has(unit)) continue;
    const owner = ownerOf(unit, stored.units, stored.parts);
    missing.set(owner, (missing.get(owner) ?? 0) + 1);
  }
  if (missing.size === 0) return Array.from({ length: stored.units }, (_, unit) => results.get(unit));
  const numbers = [...missing.keys()];
  throw new AtmorepError("usage", "not all parts are done", {
    where: folder,
    found: `${numbers
      .slice(0, 20)
      .map((number) => `part ${number}/${stored.parts} lacks ${missing.get(number)} units`)
      .join(", ")}${numbers.length > 20 ? ` and ${numbers.length - 20} more parts` : ""}`,
    fix: `Run them again with the same call and --part ${numbers[0]}/${stored.parts}: what is done is kept`,
  });
}
