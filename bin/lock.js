/**
 * A lock between processes that prepare one checkout: a folder, since making one succeeds for one process alone. It names
 * its owners, so that a lock whose owners were killed is taken over.
 */
import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";

/** A lock of another machine cannot be checked for a living owner: one that is not touched for so long counts as left behind. */
const LOCK_LIFETIME_MS = 600_000;
const TOUCH_MS = 30_000;

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code !== "ESRCH";
  }
}

/** When a process began, so that another one that has its number since is not taken for it; null where the system does not tell. */
function beginOf(pid) {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot} ${readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1).split(" ")[19]}`;
  } catch {
    return null;
  }
}

const isSame = (process) => isAlive(process.pid) && (process.begin === null || beginOf(process.pid) === process.begin);

const ownerOf = (lock) => JSON.parse(readFileSync(join(lock, "owner.json"), "utf8"));

function ownerIsGone(lock) {
  try {
    const { processes, host } = ownerOf(lock);
    if (host === hostname()) return !processes.some(isSame);
  } catch {
    // the owner has not written its name yet, or has just left
  }
  try {
    return Date.now() - statSync(lock).mtimeMs > LOCK_LIFETIME_MS;
  } catch {
    return false;
  }
}

/** Renamed first: of several that wait only one succeeds, and none deletes files inside a lock taken since. */
function removeAbandoned(lock) {
  const aside = `${lock}.${randomUUID()}`;
  try {
    renameSync(lock, aside);
  } catch (error) {
    if (error.code === "ENOENT") return;
    throw new Error(
      `${lock} was left behind by a process that is gone and cannot be removed (${error.code}): remove it by hand`,
    );
  }
  // taken anew between the look and the rename: it goes back
  if (!ownerIsGone(aside)) {
    try {
      renameSync(aside, lock);
      return;
    } catch {
      // a third one has it: whoever holds the one aside works on without
    }
  }
  rmSync(aside, { recursive: true, force: true });
}

/**
 * Takes the lock, waiting for its owner to end.
 * @param lock path of the folder
 * @param waiting called once if another process has it
 * @returns `release` gives it back; `sharedWith` says which child works under it, and goes on if this process is killed
 */
export function takeLock(lock, waiting = () => {}) {
  mkdirSync(dirname(lock), { recursive: true });
  const token = randomUUID();
  const name = (child) => {
    const file = join(lock, "owner.json");
    const processes = [process.pid, child].filter(Boolean).map((pid) => ({ pid, begin: beginOf(pid) }));
    // renamed: who waits reads a whole file
    writeFileSync(`${file}.new`, JSON.stringify({ token, processes, host: hostname() }));
    renameSync(`${file}.new`, file);
  };
  /** Only what is still ours. */
  const held = (use) => {
    try {
      if (ownerOf(lock).token === token) use();
    } catch {
      // gone
    }
  };
  for (let told = false; ; ) {
    try {
      mkdirSync(lock);
      try {
        name();
      } catch (error) {
        rmSync(lock, { recursive: true, force: true });
        throw error;
      }
      const touching = setInterval(() => held(() => utimesSync(lock, new Date(), new Date())), TOUCH_MS).unref();
      const release = () => {
        clearInterval(touching);
        held(() => rmSync(lock, { recursive: true, force: true }));
      };
      return { release, sharedWith: name };
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
      if (ownerIsGone(lock)) {
        removeAbandoned(lock);
        continue;
      }
      if (!told) waiting();
      told = true;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    }
  }
}
