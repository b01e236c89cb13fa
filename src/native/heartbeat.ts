/**
 * Files that say which process works on something. They are created whole, or not at all; the one of a process that is gone
 * does not hold. Of a process on another machine, or in another container, only its heartbeat can be seen: that serves work
 * of several machines in one folder, where a lock of the operating system may be each machine's own (Lustre's
 * `localflock`). A training step may take longer than any heartbeat: runs have `fileLock.ts`.
 */
import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { link, open, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { threadId } from "node:worker_threads";

export interface Holder {
  host: string;
  pid: number;
  /** when the process began, in the system's own count; ids of processes are used again */
  began: string | null;
  /** what process ids mean here: the start of the system and the space of its processes */
  space: string;
}

export interface Lock {
  release(): Promise<void>;
}

/** File systems without hard links. */
const NO_LINKS = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"];
const HEARTBEAT_MS = 10_000;
/** A process elsewhere that has not touched its file for so long is gone. */
const SILENT_MS = 90_000;

/**
 * Takes the lock at `path`, whose folder exists.
 * @returns who has it, if another process does; null if that cannot be told
 */
export async function takeLock(path: string): Promise<{ lock: Lock } | { holder: Holder | null }> {
  const own: Holder = { host: hostname(), pid: process.pid, began: beginningOf(process.pid), space: SPACE };
  // Two who ask within one process are two.
  count += 1;
  const text = `${JSON.stringify({ ...own, count })}\n`;
  while (!(await createWhole(path, text))) {
    const found = await readFile(path, "utf8").catch(() => null);
    if (found === null) continue;
    const holder = parse(found);
    if (!(await isGone(path, holder))) return { holder };
    await removeStale(path, found);
  }
  const beat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {});
  }, HEARTBEAT_MS);
  beat.unref();
  return {
    lock: {
      async release() {
        clearInterval(beat);
        if ((await readFile(path, "utf8").catch(() => null)) === text) await rm(path, { force: true });
      },
    },
  };
}

let count = 0;

/** Of this machine since its start, and of the container. */
const SPACE = [
  readOr("/proc/sys/kernel/random/boot_id", () => hostname()),
  ((): string => {
    try {
      return readlinkSync("/proc/self/ns/pid");
    } catch {
      return "";
    }
  })(),
].join(" ");

function readOr(path: string, otherwise: () => string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return otherwise();
  }
}

let asides = 0;

/** Creates a file with its text, whole; false if there is one. */
export async function createWhole(path: string, text: string): Promise<boolean> {
  asides += 1;
  const aside = `${path}.${hostname()}.${process.pid}.${threadId}.${asides}`;
  try {
    await writeDown(aside, text);
    await link(aside, path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    if (code === undefined || !NO_LINKS.includes(code)) throw error;
    return await createWithoutLink(path, text);
  } finally {
    await rm(aside, { force: true });
  }
}

/** What has a name must have its bytes, also after a loss of power. */
async function writeDown(path: string, text: string): Promise<void> {
  const file = await open(path, "w");
  try {
    await file.writeFile(text);
    await file.datasync();
  } finally {
    await file.close();
  }
}

async function createWithoutLink(path: string, text: string): Promise<boolean> {
  try {
    const file = await open(path, "wx");
    await file.writeFile(text);
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/**
 * Removes the files that processes of this machine were killed beside: those that `createWhole` and others make for an
 * instant. A missing folder is no fault.
 * @param of only those beside the file of this name; default those beside any
 */
export async function sweepAsides(folder: string, of = ""): Promise<void> {
  const own = `.${hostname()}.`;
  for (const name of await readdir(folder).catch(() => [])) {
    const at = name.lastIndexOf(own);
    if (at < 0 || !name.startsWith(of === "" ? "" : `${of}.`)) continue;
    const numbers = /^(\d+)(\.\d+)*$/.exec(name.slice(at + own.length));
    if (numbers && hasEnded({ pid: Number(numbers[1]), began: null })) await rm(join(folder, name), { force: true });
  }
}

/** Removes the file that says `stale`; one that another process has put there meanwhile is put back. */
export async function removeStale(path: string, stale: string): Promise<void> {
  const aside = `${path}.stale.${hostname()}.${process.pid}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  if ((await readFile(aside, "utf8")) !== stale) await link(aside, path).catch(() => {});
  await rm(aside, { force: true });
}

function parse(text: string): Holder | null {
  try {
    const { host, pid, began, space } = JSON.parse(text);
    return typeof host === "string" && Number.isInteger(pid) ? { host, pid, began: began ?? null, space } : null;
  } catch {
    return null;
  }
}

async function isGone(path: string, holder: Holder | null): Promise<boolean> {
  return holder === null || holder.space !== SPACE ? isSilent(path) : hasEnded(holder);
}

/** True if a process of this machine and container is gone, or its id is another's now. @param began as `beginningOf` told */
export function hasEnded({ pid, began }: { pid: number; began: string | null }): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return true;
  }
  const now = beginningOf(pid);
  return began !== null && now !== null && now !== began;
}

/** By the clock of the file system, which all machines share. */
async function isSilent(path: string): Promise<boolean> {
  const probe = `${path}.now.${hostname()}.${process.pid}`;
  try {
    await writeFile(probe, "");
    const [{ mtimeMs: now }, held] = [await stat(probe), await stat(path).catch(() => null)];
    return held !== null && now - held.mtimeMs > SILENT_MS;
  } finally {
    await rm(probe, { force: true });
  }
}

/** When process `pid` began, from Linux's `/proc`; null elsewhere, and for a process that is gone. */
export function beginningOf(pid: number): string | null {
  const path = `/proc/${pid}/stat`;
  if (!existsSync(path)) return null;
  try {
    // The second field is the program's name in parentheses, with anything in it; this is the 22nd.
    return (
      readFileSync(path, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ")[19] ?? null
    );
  } catch {
    return null;
  }
}
