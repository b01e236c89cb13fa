/**
 * `NAME.unfinished`, the folder beside a target in which it is built:
 *
 *     request.json         what is built, from which sources, in how many parts
 *     part-2-of-4.jsonl    the journal of a part; part-2-of-4.lock while a process works on it
 *     store/               what will take the target's place
 *     former/              what the target was, for the instant between two renames
 *     whole.zip            what will take the target's place, if that is a zip file; then `store/` goes
 *
 * `store/` is made before `request.json` and gone after it has taken its place, or `whole.zip` before that does; so each
 * state that a kill can leave is told from the others.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, rmdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { orElse, readBounded } from "../../budgets.js";
import { AtmorepError } from "../../errors.js";
import { makeFolder, syncFolder } from "../../formats/atomic.js";
import { createWhole, type Holder, type Lock, sweepAsides, takeLock } from "../../native/index.js";
import type { Part } from "../../parts.js";
import { asObject } from "../source/json.js";
import { kindOf } from "./kinds.js";
import { firstChange } from "./sources.js";
import type { KindName, Request, SourceFacts } from "./types.js";

/** Version of the folder's form, and of what units write. */
const FORM = "atmorep unfinished 3";
const OWN = /^(request\.json(\..*)?|discarded\.json|store|former|\.?whole\.zip.*|.*\.(jsonl|lock)(\..*)?)$/;
const PATIENCE_MS = 60_000;

/** `request.json`. */
export interface Stored {
  form: string;
  kind: KindName;
  command: string;
  parts: number;
  units: number;
  asked: Record<string, unknown>;
  sources: SourceFacts[];
  layout: unknown;
  replace: boolean;
  /** of all this: equal for all parts; the file's own checksum stands behind */
  digest: string;
  /** of the source, as the call that began it sees it */
  place: string;
}

export const unfinishedFolder = (out: string): string => `${out.replace(/[/\\]+$/, "")}.unfinished`;
export const storeOf = (folder: string): string => join(folder, "store");
export const zipOf = (folder: string): string => join(folder, "whole.zip");
export const formerOf = (folder: string): string => join(folder, "former");
export const journalOf = (folder: string, { number, of }: Part): string =>
  join(folder, `part-${number}-of-${of}.jsonl`);
export const lockOf = (folder: string, { number, of }: Part): string => join(folder, `part-${number}-of-${of}.lock`);

export function storedOf(request: Request, sources: SourceFacts[], parts: number): Stored {
  const { kind, command, asked, layout, units, replace } = request;
  const facts = { form: FORM, kind, command, parts, units: units.length, asked, sources, layout, replace };
  // Through text, so that it equals what is read.
  const plain = JSON.parse(JSON.stringify(facts)) as Omit<Stored, "digest" | "place">;
  const digest = createHash("sha256").update(JSON.stringify(plain)).digest("hex");
  return { ...plain, digest, place: request.place };
}

/** With a checksum over all of it: what is built must not depend on a byte that changed on the disk. */
const storedText = (stored: Stored): string => JSON.stringify({ ...stored, sum: sumOf(stored) });
const sumOf = (stored: object): string => createHash("sha256").update(JSON.stringify(stored)).digest("hex");

/** What has been begun in a folder; null for nothing. @throws AtmorepError (usage) if it is damaged, or of another version */
export async function readStored(folder: string): Promise<Stored | null> {
  const path = join(folder, "request.json");
  const bytes = await readBounded(path).catch(orElse(null));
  if (bytes === null) return null;
  const read = asObject(parsed(bytes.toString("utf8")));
  if (read && read.form !== FORM && /^atmorep unfinished \d+$/.test(String(read.form))) {
    throw new AtmorepError("usage", "unfinished work of another version", {
      where: folder,
      fix: "Begin anew with --restart, or finish it with the version that began it",
    });
  }
  const { sum, ...stored } = read ?? {};
  if (sum === sumOf(stored)) return stored as unknown as Stored;
  throw new AtmorepError("usage", "what was begun here cannot be told: the file is damaged", {
    where: path,
    fix: "Begin anew with --restart (what was done is thrown away)",
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * Takes a part of the work at `out`: begins it, or goes on with what an earlier call of the same request left.
 * @throws AtmorepError (usage) if another process works on it, or another request has been begun there
 */
export async function takePart(
  out: string,
  mine: Stored,
  part: Part,
  restart: boolean,
): Promise<{ folder: string; lock: Lock; fresh: boolean }> {
  const folder = unfinishedFolder(out);
  return inFolder(folder, out, async () => {
    const lock = await lockIn(lockOf(folder, part), `${mine.command} --out ${out}`);
    try {
      if (restart) await refuseOthers(folder, part);
      if (restart || existsSync(join(folder, "discarded.json"))) await discard(folder);
      await mkdir(storeOf(folder), { recursive: true });
      const fresh = await createWhole(join(folder, "request.json"), storedText(mine));
      if (!fresh) compare(folder, (await readStored(folder)) as Stored, mine);
      return { folder, lock, fresh };
    } catch (error) {
      await lock.release();
      throw error;
    }
  });
}

/**
 * Work that was finished but for its folder, or stopped between two renames, is brought to its end.
 * @returns what stands at `out` by that; null if there was nothing to end
 */
export async function settle(out: string, note?: (line: string) => void): Promise<Stored | null> {
  const folder = unfinishedFolder(out);
  if (!existsSync(folder)) return null;
  const settled = await inFolder(folder, out, async (ended) => ended);
  if (settled !== null) note?.(`${out}: an earlier ${settled.command} had done all of its work; it stands there now`);
  return settled;
}

/** Does something in the folder while no other process begins or ends work there. */
async function inFolder<T>(folder: string, out: string, work: (settled: Stored | null) => Promise<T>): Promise<T> {
  const lock = await folderLock(folder);
  try {
    await sweepAsides(folder);
    const settled = await settleLocked(folder, out);
    await mkdir(folder, { recursive: true });
    return await work(settled);
  } finally {
    await lock.release();
    // Only an empty one goes: nothing was begun.
    await leaveEmpty(folder);
  }
}

async function folderLock(folder: string): Promise<Lock> {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    await makeFolder(folder);
    const foreign = (await readdir(folder)).find((name) => !OWN.test(name));
    if (foreign !== undefined) {
      throw new AtmorepError("usage", "there is something of another kind where unfinished work would be kept", {
        where: folder,
        found: foreign,
        fix: "Move it away, or choose another --out",
      });
    }
    const taken = await takeLock(join(folder, "folder.lock")).catch((error: NodeJS.ErrnoException) => {
      // Another process has just ended its work there.
      if (error.code === "ENOENT") return null;
      throw error;
    });
    if (taken && "lock" in taken) return taken.lock;
    if (taken && Date.now() > until) throw busy(join(folder, "folder.lock"), taken.holder, folder);
    await pause(50);
  }
}

async function settleLocked(folder: string, out: string): Promise<Stored | null> {
  const former = formerOf(folder);
  if (existsSync(former)) {
    if (existsSync(out)) await rm(former, { recursive: true, force: true });
    else await rename(former, out);
  }
  if (existsSync(zipOf(folder))) await placeZip(folder, out, (await readStored(folder))?.replace ?? false);
  if (existsSync(storeOf(folder)) || existsSync(join(folder, "discarded.json")) || !existsSync(out)) return null;
  const stored = await readStored(folder);
  if (stored === null) return null;
  await (await kindOf(stored.kind)).after?.(stored.layout, stored.place);
  await sweep(folder);
  return stored;
}

/**
 * Puts `whole.zip` in its place; what it was made of goes first.
 * @throws AtmorepError (usage) if something is there that is not to be replaced
 */
export async function placeZip(folder: string, out: string, replace: boolean): Promise<void> {
  await rm(storeOf(folder), { recursive: true, force: true });
  await syncFolder(folder);
  if (!replace && existsSync(out)) throw cameMeanwhile(out);
  await rename(zipOf(folder), out);
  await syncFolder(dirname(out));
}

export const cameMeanwhile = (out: string): AtmorepError =>
  new AtmorepError("usage", "something came to this path meanwhile", {
    where: out,
    fix: "Move it away and call the same again: what is done is kept",
  });

async function lockIn(path: string, what: string): Promise<Lock> {
  const taken = await takeLock(path);
  if ("lock" in taken) return taken.lock;
  throw busy(path, taken.holder, what);
}

function busy(path: string, holder: Holder | null, what: string): AtmorepError {
  return new AtmorepError("usage", "another process is at work on this", {
    where: what,
    found: holder === null ? path : `process ${holder.pid} on ${holder.host} (${path})`,
    fix: "Wait for it, end it, or choose another --out. If it ended with its machine, this is known 90 s after its last sign",
  });
}

/** For a process that ends the work: nobody else does at the same time. */
export const lockFinalise = (folder: string, out: string): Promise<Lock> =>
  lockIn(join(folder, "finalise.lock"), `data finalise ${out}`);

/** Nothing is thrown away while others work on it. */
async function refuseOthers(folder: string, own: Part): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.endsWith(".lock") || name === "folder.lock" || join(folder, name) === lockOf(folder, own)) continue;
    await (await lockIn(join(folder, name), `--restart: ${folder}`)).release();
  }
}

/** Throws away what was done. Ends what an earlier call that was killed began. */
async function discard(folder: string): Promise<void> {
  const marker = join(folder, "discarded.json");
  if (existsSync(join(folder, "request.json"))) await rename(join(folder, "request.json"), marker);
  await rm(storeOf(folder), { recursive: true, force: true });
  await removeJournals(folder);
  await rm(marker, { force: true });
}

async function removeJournals(folder: string): Promise<void> {
  for (const name of await readdir(folder)) if (name.endsWith(".jsonl")) await rm(join(folder, name), { force: true });
}

/** Removes the folder of work that is done or given up, by someone who holds a lock in it. */
export async function removeUnfinished(out: string, lock: Lock): Promise<void> {
  const folder = unfinishedFolder(out);
  const own = await folderLock(folder);
  try {
    if (existsSync(storeOf(folder))) await discard(folder);
    await sweep(folder);
  } finally {
    await lock.release();
    await own.release();
    await leaveEmpty(folder);
  }
}

/** All but locks; the request last, since without it nothing counts as begun. */
async function sweep(folder: string): Promise<void> {
  await rm(formerOf(folder), { recursive: true, force: true });
  await removeJournals(folder);
  for (const name of await readdir(folder)) {
    if (/^(\.?whole\.zip|request\.json\.)/.test(name)) await rm(join(folder, name), { force: true });
  }
  await rm(join(folder, "request.json"), { force: true });
}

/** Removes a folder in which nothing is but locks of processes that are gone. */
async function leaveEmpty(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  if (!names.every((name) => name.includes(".lock"))) return;
  for (const name of names) {
    if (!name.endsWith(".lock")) continue;
    const taken = await takeLock(join(folder, name)).catch(() => null);
    if (taken && "lock" in taken) await taken.lock.release();
  }
  await rmdir(folder).catch(() => {});
}

/** @throws AtmorepError (usage) that says what differs */
export function compare(folder: string, stored: Stored, mine: Stored): void {
  if (stored.digest === mine.digest) return;
  const fix = `Go on with the call that began it, or begin anew with --restart (what was done is thrown away), or remove ${resolve(folder)}`;
  if (stored.kind !== mine.kind) {
    throw new AtmorepError("usage", "unfinished work of another command", {
      where: folder,
      found: stored.command,
      expected: mine.command,
      fix,
    });
  }
  const changed = firstChange(stored.sources, mine.sources);
  const asked = differences(stored.asked, mine.asked);
  if (stored.parts !== mine.parts) {
    throw new AtmorepError("usage", "the work was begun in another number of parts", {
      where: folder,
      found: `${stored.parts === 1 ? "no parts" : `${stored.parts} parts`}, now ${mine.parts === 1 ? "none" : mine.parts}`,
      fix:
        stored.parts === 1
          ? fix
          : `Go on with ${stored.parts} processes, or with the parts: --part i/${stored.parts}; or begin anew (remove ${resolve(folder)})`,
    });
  }
  if (asked.length === 0 && changed !== null) {
    throw new AtmorepError("usage", "the sources are not those that the unfinished work was begun with", {
      where: folder,
      found: changed,
      fix,
    });
  }
  throw new AtmorepError("usage", "unfinished work of another request", {
    where: folder,
    found: asked.join("; ") || "another layout of the sources",
    fix,
  });
}

function differences(before: Record<string, unknown>, now: Record<string, unknown>): string[] {
  const text = (value: unknown) => JSON.stringify(value) ?? "none";
  return [...new Set([...Object.keys(before), ...Object.keys(now)])]
    .filter((key) => text(before[key]) !== text(now[key]))
    .map((key) => `${key} ${text(before[key])} then, ${text(now[key])} now`);
}
