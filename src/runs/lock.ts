/**
 * `models/id<ID>/training.lock`: one process at a time trains a run. It names the process, so that the lock of one that
 * was killed does not hold, on the machine where it ran; another machine cannot tell.
 */
import { existsSync, readFileSync } from "node:fs";
import { link, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { AtmorepError } from "../errors.js";
import { systemFault } from "../formats/systemFault.js";
import type { RunFolder } from "./folder.js";

interface Holder {
  host: string;
  pid: number;
  /** when the process began, in the system's own count; ids of processes are used again */
  began: string | null;
}

export interface RunLock {
  release(): Promise<void>;
}

/** File systems without hard links. */
const NO_LINKS = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"];

/**
 * Takes the lock of a run whose folders exist. This process may take it twice: a notebook's cell may have been ended
 * without the chance to give it back.
 * @throws AtmorepError (usage) if another process holds it, or it cannot be written
 */
export async function lockRun(folder: RunFolder): Promise<RunLock> {
  const path = join(folder.modelsDir, "training.lock");
  const own: Holder = { host: hostname(), pid: process.pid, began: beginningOf(process.pid) };
  const text = `${JSON.stringify(own)}\n`;
  try {
    while (!(await create(path, text))) {
      const found = await readFile(path, "utf8").catch(() => null);
      if (found === null || found === text) {
        if (found === text) break;
        continue;
      }
      const holder = parse(found);
      if (holder === null || !isGone(holder)) throw held(path, holder);
      await removeStale(path, found);
    }
  } catch (error) {
    throw systemFault(error, "usage", "the run cannot be locked for this process", {
      where: path,
      fix: "Make the folder writable, or continue under a new id, without --in-place.",
    });
  }
  return {
    async release() {
      if ((await readFile(path, "utf8").catch(() => null)) === text) await rm(path, { force: true });
    },
  };
}

/** Creates the file with its text, whole; false if it is there. */
async function create(path: string, text: string): Promise<boolean> {
  const aside = `${path}.${hostname()}.${process.pid}`;
  await writeFile(aside, text);
  try {
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

/** Removes the lock that says `stale`; one that another process has taken meanwhile is put back. */
async function removeStale(path: string, stale: string): Promise<void> {
  const aside = `${path}.stale.${process.pid}`;
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
    const { host, pid, began } = JSON.parse(text);
    return typeof host === "string" && Number.isInteger(pid) ? { host, pid, began: began ?? null } : null;
  } catch {
    return null;
  }
}

function isGone({ host, pid, began }: Holder): boolean {
  if (host !== hostname()) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return true;
  }
  const now = beginningOf(pid);
  return began !== null && now !== null && now !== began;
}

/** When process `pid` began, from Linux's `/proc`; null elsewhere, and for a process that is gone. */
function beginningOf(pid: number): string | null {
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

function held(path: string, holder: Holder | null): AtmorepError {
  const who = holder === null ? "a process that cannot be told" : `process ${holder.pid} on ${holder.host}`;
  const here = holder?.host === hostname();
  return new AtmorepError("usage", "another process trains this run", {
    where: path,
    found: who,
    fix: here
      ? "Wait for it or stop it, or continue under a new id, without --in-place."
      : "Wait for it or stop it, or continue under a new id, without --in-place. If it is gone, delete this file.",
  });
}
