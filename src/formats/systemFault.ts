/** Errors of the operating system (a full disk, missing rights) in words, with what to do. */
import { AtmorepError, type ErrorCode } from "../errors.js";

const MEANING: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file would exceed the size limit",
  EACCES: "permission denied",
  EPERM: "not permitted",
  EROFS: "the file system is read-only",
  ENOTDIR: "a part of the path is a file, not a folder",
  EEXIST: "a part of the path is a file, not a folder",
  EIO: "the device reports an error",
  EMFILE: "too many open files",
  ENFILE: "too many open files",
  ENOMEM: "there is not enough memory",
};

/**
 * The error as an AtmorepError if the operating system raised it, else the error as it is.
 * @param what what could not be done
 */
export function systemFault(
  error: unknown,
  code: ErrorCode,
  what: string,
  { where, fix }: { where: string; fix: string },
): unknown {
  if (isOutOfMemory(error)) {
    return new AtmorepError("failed", "there is not enough memory", {
      where,
      found: error.message.split("\n")[0],
      fix: `Give it more memory (--mem of Slurm). ${fix}`,
      cause: error,
    });
  }
  if (!(error instanceof Error) || !("syscall" in error) || !("code" in error)) return error;
  const { code: errno, path } = error as NodeJS.ErrnoException;
  const meaning = MEANING[String(errno)];
  return new AtmorepError(code, what, {
    where: path ?? where,
    found: meaning === undefined ? error.message : `${meaning} (${errno})`,
    fix,
    cause: error,
  });
}

/** As the JavaScript engine, its threads and TensorFlow tell it. */
export function isOutOfMemory(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  if ((error as NodeJS.ErrnoException).code === "ERR_WORKER_OUT_OF_MEMORY") return true;
  if (error instanceof RangeError && /allocat|out of memory/i.test(error.message)) return true;
  return /\bOOM when allocating|out of memory|std::bad_alloc/.test(error.message) && !("syscall" in error);
}
