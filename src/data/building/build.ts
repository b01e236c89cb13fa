/**
 * Builds a folder from units: in workers, with a journal that the next same call goes on from, whole or a part of it.
 * What is done stands in `NAME.unfinished` until all is; then it takes the target's place in one step.
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { AtmorepError, isAtmorepError } from "../../errors.js";
import { makeFolder, syncFolder, syncTree, takePlace, withAtomicFile } from "../../formats/atomic.js";
import { systemFault } from "../../formats/systemFault.js";
import { ZipWriter } from "../../formats/zip/writer.js";
import { type Part, rangeOf, WHOLE } from "../../parts.js";
import { filesBelow, trackedSink } from "./files.js";
import { type Entry, Journal, readJournal, whole } from "./journal.js";
import { kindOf } from "./kinds.js";
import { defaultMemory, shareMemory } from "./memory.js";
import { requireUnchanged } from "./sources.js";
import { workUnits } from "./threads.js";
import type { Request } from "./types.js";
import {
  cameMeanwhile,
  formerOf,
  journalOf,
  placeZip,
  readStored,
  removeUnfinished,
  type Stored,
  storedOf,
  storeOf,
  takePart,
  unfinishedFolder,
  zipOf,
} from "./unfinished.js";

export interface BuildOptions {
  /** null for all of it, finished at the end */
  part?: Part | null;
  /** workers; null for as many as there are cores and memory for */
  jobs?: number | null;
  /** bound of what the process holds, in bytes; null for a quarter of the machine's memory */
  memory?: number | null;
  /** throws away what an earlier call left */
  restart?: boolean;
  /** ends the work; what is done is kept */
  signal?: AbortSignal;
  /** bytes of values done and in all, those of earlier calls included */
  onProgress?: (done: number, total: number, before: number) => void;
  /** what a person should know while it works */
  note?: (line: string) => void;
}

export interface Built {
  /** null if parts are still to come: the folder that holds what is done */
  unfinished: string | null;
  /** what units gave, where all is done */
  results: unknown[];
  /** units of this part, and those of them that earlier calls had done */
  units: number;
  before: number;
  jobs: number;
}

/** Below so many bytes of values threads take longer to start than the work takes. */
const SMALL = 64 * 2 ** 20;

/**
 * Works the units that are not done yet, and finishes if all of them are this call's to do.
 * @throws AtmorepError (usage) if another process is at work on it or another request was begun there; (failed) if it was
 *   stopped or a file cannot be written: the same call then goes on; what a unit throws
 */
export async function build(request: Request, options: BuildOptions = {}): Promise<Built> {
  const { jobs = null, memory, restart = false, signal = new AbortController().signal, note } = options;
  const part = options.part ?? WHOLE;
  const { units, unitBytes, smaller, out, alone } = request;
  const [from, to] = rangeOf(part, units.length);
  const total = units.slice(from, to).reduce((sum, { bytes }) => sum + bytes, 0);
  const wanted = jobs ?? (alone !== null || total < SMALL ? 1 : null);
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
  const { folder, lock, fresh } = await takePart(out, stored, part, restart).catch((error) => {
    throw systemFault(error, "failed", "the folder of the unfinished work cannot be written", {
      where: unfinishedFolder(out),
      fix: "Make it writable, or choose another --out",
    });
  });
  const store = storeOf(folder);
  let removed = false;
  let done = new Map<number, Entry>();
  try {
    done = await doneUnits(folder, part, store);
    const before = done.size;
    const todo = Array.from({ length: to - from }, (_, i) => from + i).filter((unit) => !done.has(unit));
    const bytesOf = (list: Iterable<number>) => [...list].reduce((sum, unit) => sum + units[unit].bytes, 0);
    const started = bytesOf(done.keys());
    if (!fresh && before > 0) note?.(`goes on: ${before} of ${to - from} parts of the work are done, in ${folder}`);
    let bytes = started;
    const journal = await Journal.open(journalOf(folder, part));
    await workUnits({
      kind: request.kind,
      setup: request.setup,
      cacheBytes: share.cacheBytes,
      store,
      units: todo,
      jobs: Math.min(share.jobs, Math.max(1, todo.length)),
      signal,
      progress(more) {
        bytes += more;
        options.onProgress?.(Math.min(bytes, total), total, started);
      },
      async done(entry) {
        await journal.add(entry);
        done.set(entry.unit, entry);
      },
    });
    requireUnchanged(request.command, sources, await request.sources(), "Call again with --restart when it is whole");
    const counts = { units: to - from, before, jobs: share.jobs };
    if (part.of > 1) return { unfinished: folder, results: [], ...counts };
    const results = units.map((_, unit) => (done.get(unit) as Entry).result);
    await finish(stored, out, results);
    await removeUnfinished(out, lock);
    removed = true;
    return { unfinished: null, results, ...counts };
  } catch (error) {
    if (signal.aborted) throw stopped(request, part, done.size, to - from, folder);
    if (part.of === 1 && !canGoOn(error, request, done.size)) {
      await removeUnfinished(out, lock);
      removed = true;
    } else
      note?.(`${done.size} of ${to - from} parts of the work are done and kept in ${folder}; the same call goes on`);
    throw systemFault(error, "failed", "the store cannot be written", {
      where: store,
      fix: "Make room, or mend what is wrong, and call the same again: what is done is kept",
    });
  } finally {
    if (!removed) await lock.release();
  }
}

/** Units of a part that are journaled and whole. */
export async function doneUnits(folder: string, part: Part, store: string): Promise<Map<number, Entry>> {
  const entries = await whole(await readJournal(journalOf(folder, part)), store);
  return new Map(entries.map((entry) => [entry.unit, entry]));
}

/** Writes all but the units' files, and puts the result in its place. */
export async function finish(
  { kind, layout, place, replace }: Stored,
  out: string,
  results: readonly unknown[],
): Promise<void> {
  const folder = unfinishedFolder(out);
  const store = storeOf(folder);
  const own = await kindOf(kind);
  await own.finish(layout, results, trackedSink(store), place);
  // Contents are on disk since they were written.
  await syncTree(store, false);
  if (!replace && existsSync(out)) throw cameMeanwhile(out);
  if (out.toLowerCase().endsWith(".zip")) {
    await zip(store, zipOf(folder));
    await placeZip(folder, out, replace);
  } else {
    await makeFolder(join(out, ".."));
    await takePlace(store, out, formerOf(folder));
    await syncFolder(join(out, ".."));
  }
  await own.after?.(layout, place);
}

async function zip(store: string, out: string): Promise<void> {
  await withAtomicFile(out, async (file) => {
    const writer = new ZipWriter(file);
    for (const name of await filesBelow(store)) await writer.add(name, await readFile(join(store, name)));
    await writer.finish();
  });
}

/**
 * True if the same call can go on later. A fault of the request or of a file on this machine is mended by another request or
 * another file, which could never go on from here; so nothing is kept of it.
 */
function canGoOn(error: unknown, request: Request, done: number): boolean {
  if (done === 0) return false;
  if (!isAtmorepError(error) || error.code === "failed") return true;
  const remote = JSON.stringify(request.setup).includes("://");
  return remote || (error.details.cause as NodeJS.ErrnoException | undefined)?.code !== undefined;
}

function stopped(request: Request, part: Part, done: number, units: number, folder: string): AtmorepError {
  return new AtmorepError("failed", `${request.command} was stopped`, {
    found: `${done} of ${units} parts of the work done${part.of > 1 ? ` of part ${part.number}/${part.of}` : ""}, kept in ${folder}`,
    fix: `The same call goes on. To give it up, remove ${basename(folder)}`,
  });
}

/** The stored request at `out`. @throws AtmorepError (usage) if there is none */
export async function storedAt(out: string, folder: string): Promise<Stored> {
  const stored = await readStored(folder);
  if (stored !== null) return stored;
  throw new AtmorepError("usage", "nothing unfinished here", {
    where: out,
    expected: `the folder ${folder}, which --part writes`,
    fix: "Give the --out of the parts, or the store whose normalisation they computed",
  });
}
