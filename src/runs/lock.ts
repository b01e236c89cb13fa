/** `models/id<ID>/training.lock`: one process at a time trains a run. */
import { hostname } from "node:os";
import { join } from "node:path";
import { AtmorepError } from "../errors.js";
import { systemFault } from "../formats/systemFault.js";
import { type FileLock, type Holder, lockFile } from "../native/index.js";
import type { RunFolder } from "./folder.js";

export interface RunLock extends FileLock {
  /** what a person should know of it */
  warning: string | null;
}

/**
 * Takes the lock of a run whose folders exist. This process may take it twice: a notebook's cell may have been ended
 * without the chance to give it back.
 * @throws AtmorepError (usage) if another process holds it, or it cannot be written
 */
export async function lockRun(folder: RunFolder): Promise<RunLock> {
  const path = join(folder.modelsDir, "training.lock");
  const taken = await lockFile(path).catch((error) => {
    throw systemFault(error, "usage", "the run cannot be locked for this process", {
      where: path,
      fix: "Make the folder writable, or continue under a new id, without --in-place.",
    });
  });
  if ("holder" in taken) throw held(path, taken.holder);
  const warning = taken.bySystem
    ? null
    : `${path} is no lock of the operating system (there is none for files here): if this process dies, another machine or container may have to delete it, and two of one host name can both take it.`;
  return { ...taken, warning };
}

function held(path: string, holder: Holder | null): AtmorepError {
  const who =
    holder === null
      ? "a process that cannot be told"
      : `process ${holder.pid} on ${holder.host}${holder.job ? `, job ${holder.job.id}` : ""}`;
  const isSure = holder !== null && (holder.by === "flock" || holder.host === hostname());
  const fix = "Wait for it or stop it, or continue under a new id, without --in-place.";
  return new AtmorepError("usage", "another process trains this run", {
    where: path,
    found: who,
    fix: isSure ? fix : `${fix} If it is gone, delete this file.`,
  });
}
