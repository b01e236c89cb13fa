/**
 * A file that one process at a time may hold. The operating system's lock on it (`flock`) counts, which ends with its
 * process, on whatever machine or in whatever container that ran. The file names its holder, for messages, and for where
 * there is no such lock: there the file's presence counts, and one whose process is gone on this machine is taken over. Slurm starts
 * a job anew only once it has ended: what its earlier lives hold by name is taken over, whatever machine they were on.
 */
import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync, statSync, writeSync } from "node:fs";
import { open, readFile, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname } from "node:path";
import { threadId } from "node:worker_threads";
import { tryFlock } from "./flock.js";
import { beginningOf, createWhole, hasEnded, removeStale, sweepAsides } from "./heartbeat.js";

/** Who holds a file. */
export interface Holder {
  host: string;
  pid: number;
  /** when the process began, in the system's own count; ids of processes are used again */
  began: string | null;
  /** `flock`: the system's lock says whether it is held; absent: the file's presence does */
  by?: "flock";
  /** of Slurm, and how often it had been started anew */
  job?: { id: string; restarts: number };
}

export interface FileLock {
  /** false: there is no lock of the operating system, so that a process that is gone elsewhere still seems to hold it */
  bySystem: boolean;
  /** removes the file */
  release(): Promise<void>;
}

/** Descriptors of this thread that hold a lock, by file. */
const own = new Map<string, number>();

/**
 * Takes the file, creating it. A process may take it twice: who held it may have been ended without the chance to give it back.
 *
 * @param path in a folder that exists
 * @param flock the system's lock; others for tests
 * @returns the lock, or who has it (null: that cannot be told)
 * @throws NodeJS.ErrnoException if it cannot be written
 */
export async function lockFile(path: string, flock = tryFlock): Promise<FileLock | { holder: Holder | null }> {
  if (!(await hasSystemLock(path, flock))) return await lockByName(path);
  for (;;) {
    const tried = trySystemLock(path, flock);
    if (tried !== "again") return tried;
  }
}

/** Tried on a file beside it, so that a file that is there is never touched. */
async function hasSystemLock(path: string, flock: typeof tryFlock): Promise<boolean> {
  await sweepAsides(dirname(path), basename(path));
  const aside = `${path}.${hostname()}.${process.pid}.${threadId}`;
  const file = await open(aside, "w");
  try {
    return flock(file.fd) !== "none";
  } finally {
    await file.close();
    await rm(aside, { force: true });
  }
}

function trySystemLock(path: string, flock: typeof tryFlock): FileLock | { holder: Holder | null } | "again" {
  const known = own.get(path);
  if (known !== undefined && isSame(known, path)) return systemLock(path, known);
  const text = describe("flock");
  // A folder that is not there is the caller's error; from here on a missing file is one that was removed meanwhile.
  const descriptor = openSync(path, "a+");
  let isKept = false;
  try {
    const isTaken = flock(descriptor) === "taken";
    if (isTaken && !isSame(descriptor, path)) return "again";
    const found = readFileSync(path, "utf8");
    const holder = parse(found);
    if (!isTaken) {
      if (found !== text) return { holder };
      // Another thread of this process has it.
      return { bySystem: true, release: () => rm(path, { force: true }) };
    }
    // Zeros, or nothing, is what a loss of power leaves of a file that was not yet on the disk.
    const isByName = /[^\0]/.test(found) && holder?.by !== "flock";
    if (isByName && (holder === null || !isGone(holder))) return { holder };
    ftruncateSync(descriptor);
    writeSync(descriptor, text);
    own.set(path, descriptor);
    isKept = true;
    return systemLock(path, descriptor);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "again";
    throw error;
  } finally {
    if (!isKept) closeSync(descriptor);
  }
}

/** The file at the path is the one that is open. */
function isSame(descriptor: number, path: string): boolean {
  const there = statSync(path, { throwIfNoEntry: false });
  const opened = fstatSync(descriptor);
  return there !== undefined && there.ino === opened.ino && there.dev === opened.dev;
}

function systemLock(path: string, descriptor: number): FileLock {
  return {
    bySystem: true,
    async release() {
      if (own.get(path) !== descriptor) return;
      own.delete(path);
      if (isSame(descriptor, path)) await rm(path, { force: true });
      closeSync(descriptor);
    },
  };
}

async function lockByName(path: string): Promise<FileLock | { holder: Holder | null }> {
  const text = describe();
  while (!(await createWhole(path, text))) {
    const found = await readFile(path, "utf8").catch(() => null);
    if (found === null) continue;
    if (found === text) break;
    const holder = parse(found);
    if (holder === null || !isGone(holder)) return { holder };
    await removeStale(path, found);
  }
  return {
    bySystem: false,
    async release() {
      if ((await readFile(path, "utf8").catch(() => null)) === text) await rm(path, { force: true });
    },
  };
}

function describe(by?: "flock"): string {
  const job = jobOf(process.env);
  const own = { host: hostname(), pid: process.pid, began: beginningOf(process.pid) };
  const holder: Holder = { ...own, ...(by && { by }), ...(job && { job }) };
  return `${JSON.stringify(holder)}\n`;
}

function parse(text: string): Holder | null {
  try {
    const { host, pid, began, by, job } = JSON.parse(text);
    if (typeof host !== "string" || !Number.isInteger(pid)) return null;
    const isJob = typeof job?.id === "string" && Number.isInteger(job.restarts);
    return { host, pid, began: began ?? null, ...(by === "flock" && { by }), ...(isJob && { job }) };
  } catch {
    return null;
  }
}

function isGone(holder: Holder): boolean {
  if (holder.host === hostname() && hasEnded(holder)) return true;
  const job = jobOf(process.env);
  return job !== null && holder.job?.id === job.id && holder.job.restarts < job.restarts;
}

/** The job of Slurm that this process belongs to; null outside. */
function jobOf(env: Readonly<Record<string, string | undefined>>): NonNullable<Holder["job"]> | null {
  const { SLURM_JOB_ID: id, SLURM_RESTART_COUNT: restarts } = env;
  return id ? { id, restarts: Number(restarts) || 0 } : null;
}
