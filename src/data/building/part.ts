/** A part of the work: taken, so that no other process works it too, and its units done in workers, with a journal. */
import { basename } from "node:path";
import { AtmorepError, isAtmorepError } from "../../errors.js";
import { systemFault } from "../../formats/systemFault.js";
import type { Lock } from "../../native/index.js";
import { ownerOf, type Part, rangeOf, WHOLE } from "../../parts.js";
import { type Entry, Journal, readJournal, whole } from "./journal.js";
import { defaultMemory, type Share, shareMemory } from "./memory.js";
import { requireUnchanged } from "./sources.js";
import { workUnits } from "./threads.js";
import type { BuildOptions, Request, SourceFacts } from "./types.js";
import { journalOf, type Stored, storedOf, storeOf, takePart, unfinishedFolder } from "./unfinished.js";

export interface TakenPart {
  part: Part;
  folder: string;
  lock: Lock;
  /** nothing had been begun there */
  fresh: boolean;
  stored: Stored;
  sources: SourceFacts[];
  share: Share;
  units: number;
  /** units that are done: those of earlier calls, and more while it is worked */
  done: Map<number, Entry>;
  /** of `done`, when it was taken */
  before: number;
}

/** Below so many bytes of values threads take longer to start than the work takes. */
const SMALL = 64 * 2 ** 20;

/**
 * Takes the part, and looks what is done of it.
 * @throws AtmorepError (usage) if another process is at work on it or another request was begun there, or one unit does not
 *   fit into the memory; (failed) if the folder cannot be written
 */
export async function takeUnits(request: Request, options: BuildOptions): Promise<TakenPart> {
  const { jobs = null, cores = null, memory, restart = false, note } = options;
  const part = options.part ?? WHOLE;
  const { units, unitBytes, smaller, out, alone } = request;
  const [from, to] = rangeOf(part, units.length);
  const wanted = jobs ?? (alone !== null || bytesOf(request, part) < SMALL ? 1 : cores);
  if (alone !== null && jobs !== null && jobs > 1) note?.(`one worker: ${alone}`);
  const share = shareMemory({
    units: to - from,
    unitBytes,
    smaller,
    jobs: alone === null ? wanted : 1,
    memory: memory ?? defaultMemory(),
  });
  const sources = await request.sources();
  const stored = storedOf(request, sources, part.of);
  const taken = await takePart(out, stored, part, restart).catch((error) => {
    throw systemFault(error, "failed", "the folder of the unfinished work cannot be written", {
      where: unfinishedFolder(out),
      fix: "Make it writable, or choose another --out",
    });
  });
  try {
    const done = await doneUnits(taken.folder, part);
    return { ...taken, part, stored, sources, share, units: to - from, done, before: done.size };
  } catch (error) {
    await taken.lock.release();
    throw error;
  }
}

/** Bytes of values of a part, or of some of its units. */
export function bytesOf({ units }: Request, part: Part, some?: Iterable<number>): number {
  const [from, to] = rangeOf(part, units.length);
  const list = some ? [...some].map((unit) => units[unit]) : units.slice(from, to);
  return list.reduce((sum, { bytes }) => sum + bytes, 0);
}

/**
 * Works the units of a part that are not done yet.
 * @throws AtmorepError (failed) if a file cannot be written; what a unit throws; anything if the signal came
 */
export async function workPart(request: Request, taken: TakenPart, options: BuildOptions): Promise<void> {
  const { part, folder, share, sources, done } = taken;
  const [from, to] = rangeOf(part, request.units.length);
  const todo = Array.from({ length: to - from }, (_, i) => from + i).filter((unit) => !done.has(unit));
  const total = bytesOf(request, part);
  const started = bytesOf(request, part, done.keys());
  let bytes = started;
  try {
    const journal = await Journal.open(journalOf(folder, part));
    await workUnits({
      kind: request.kind,
      setup: request.setup,
      cacheBytes: share.cacheBytes,
      store: storeOf(folder),
      units: todo,
      jobs: Math.min(share.jobs, Math.max(1, todo.length)),
      signal: options.signal ?? new AbortController().signal,
      progress(more) {
        bytes += more;
        options.onProgress?.(Math.min(bytes, total), total, started);
      },
      async done(entry) {
        await journal.add(entry);
        done.set(entry.unit, entry);
      },
    });
  } catch (error) {
    throw writeFault(error, folder);
  }
  requireUnchanged(request.command, sources, await request.sources(), "Call again with --restart when it is whole");
}

/** What the system says of a file of the store, in words. */
export const writeFault = (error: unknown, folder: string): unknown =>
  systemFault(error, "failed", "the store cannot be written", {
    where: storeOf(folder),
    fix: "Make room, or mend what is wrong, and call the same again: what is done is kept",
  });

/** Units of a part that are journaled and whole. */
export async function doneUnits(folder: string, part: Part): Promise<Map<number, Entry>> {
  const entries = await whole(await readJournal(journalOf(folder, part)), storeOf(folder));
  return new Map(entries.map((entry) => [entry.unit, entry]));
}

/** The same of all parts. */
export async function doneOfAll({ parts }: Stored, folder: string): Promise<Map<number, Entry>> {
  const all = new Map<number, Entry>();
  for (let number = 1; number <= parts; number++) {
    for (const [unit, entry] of await doneUnits(folder, { number, of: parts })) all.set(unit, entry);
  }
  return all;
}

/** What all units gave, in their order. @throws AtmorepError (usage) naming the parts that are not done */
export async function allResults(stored: Stored, folder: string): Promise<unknown[]> {
  const done = await doneOfAll(stored, folder);
  const missing = new Map<number, number>();
  for (let unit = 0; unit < stored.units; unit++) {
    if (done.has(unit)) continue;
    const owner = ownerOf(unit, stored.units, stored.parts);
    missing.set(owner, (missing.get(owner) ?? 0) + 1);
  }
  if (missing.size === 0) return Array.from({ length: stored.units }, (_, unit) => done.get(unit)?.result);
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

/**
 * True if the same call can go on later. A fault of the request or of a file on this machine is mended by another request or
 * another file, which could never go on from here; so nothing is kept of it.
 */
export function canGoOn(error: unknown, request: Request): boolean {
  if (!isAtmorepError(error) || error.code === "failed") return true;
  const remote = JSON.stringify(request.setup).includes("://");
  return remote || (error.details.cause as NodeJS.ErrnoException | undefined)?.code !== undefined;
}

/** What was done by the time a signal came, of a part or of all. */
export function stopped({ command }: Request, part: Part, done: number, units: number, folder: string): AtmorepError {
  return new AtmorepError("failed", `${command} was stopped`, {
    found: `${done} of ${units} parts of the work done${part.of > 1 ? ` of part ${part.number}/${part.of}` : ""}, kept in ${folder}`,
    fix: `The same call goes on. To give it up, remove ${basename(folder)}`,
  });
}

/** What is told of work that an earlier call had done, and of what an error leaves. */
export const goesOn = (done: number, units: number, folder: string): string =>
  `goes on: ${done} of ${units} parts of the work are done, in ${folder}`;
export const isKept = (done: number, units: number, folder: string): string =>
  `${done} of ${units} parts of the work are done and kept in ${folder}; the same call goes on`;
