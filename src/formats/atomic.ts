/**
 * Files and folders that are written whole or not at all: a temporary name beside the target, fsync of the data,
 * rename, fsync of the folder. What a killed process leaves is swept by whoever writes the same file next, or by
 * `cleanLeftovers` at the next start of a run.
 */
import { existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";

/** Leftovers of another machine are swept after this time: their process cannot be looked up. */
const FOREIGN_LEFTOVER_MS = 24 * 3600 * 1000;
const HOST = hostname().replace(/[^A-Za-z0-9]/g, "");
const LEFTOVER = /^\.(.+)\.(tmp|old)-([A-Za-z0-9]*)-(\d+)-\d+$/;
/** True for the name of a file or folder that a killed process had not finished. */
export const isLeftover = (name: string): boolean => LEFTOVER.test(name);
let counter = 0;

function sideName(path: string, kind: "tmp" | "old"): string {
  counter += 1;
  return join(dirname(path), `.${basename(path)}.${kind}-${HOST}-${process.pid}-${counter}`);
}

/** What this process has begun to write, by its temporary name; of a folder also what it takes the place of. */
const begun = new Map<string, { path: string; former: string } | null>();

/** Removes what this process has not written to the end, at once: for a program that a signal ends. */
export function removeUnfinished(): void {
  for (const [temporary, replacing] of begun) {
    if (replacing && !existsSync(replacing.path) && existsSync(replacing.former)) {
      renameSync(replacing.former, replacing.path);
    }
    removeNow(temporary);
  }
  begun.clear();
}

/** Other threads of this process may be about to write in it: what they have begun comes to its end. */
function removeNow(path: string): void {
  for (let attempt = 0; attempt < 50; attempt++) {
    try {
      rmSync(path, { recursive: true, force: true });
      return;
    } catch {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
  // the next call that writes there sweeps it
}

/** What systems that cannot open or fsync a folder answer; the rename itself is still atomic there. */
const NO_FOLDER_SYNC = new Set(["EISDIR", "EPERM", "EACCES", "EINVAL", "ENOTSUP", "ENOSYS", "EBADF"]);

/** Puts the entries of a folder on disk. */
export async function syncFolder(path: string): Promise<void> {
  const cannot = (error: NodeJS.ErrnoException) => {
    if (!NO_FOLDER_SYNC.has(error.code ?? "")) throw error;
    return null;
  };
  const handle = await open(path, "r").catch(cannot);
  try {
    await handle?.sync().catch(cannot);
  } finally {
    await handle?.close();
  }
}

/** Makes a folder and those above it, each on disk under its name. */
export async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return;
  for (let made = resolve(path); made.length >= resolve(first).length; made = dirname(made)) {
    await syncFolder(dirname(made));
  }
}

/** Small writes are gathered up to this many bytes. */
const BUFFER = 1 << 20;
/** Node refuses writes of 2 GiB and more. */
const LARGEST_WRITE = 1 << 30;

/** A file being written under a temporary name; nothing is seen at `path` before `commit`. */
export class AtomicFile {
  private length = 0;
  private flushed = 0;
  private pending: Uint8Array[] = [];

  private constructor(
    readonly path: string,
    private readonly temporary: string,
    private readonly handle: FileHandle,
  ) {}

  /** Opens the temporary file; the folder of `path` is made if missing. */
  static async create(path: string): Promise<AtomicFile> {
    await makeFolder(dirname(path));
    await cleanLeftovers(dirname(path), basename(path));
    const temporary = sideName(path, "tmp");
    begun.set(temporary, null);
    return new AtomicFile(path, temporary, await open(temporary, "w+"));
  }

  /** bytes written so far */
  get position(): number {
    return this.length;
  }

  /** Appends bytes; small ones are copied. */
  async write(data: Uint8Array): Promise<void> {
    this.length += data.length;
    if (data.length < BUFFER) {
      this.pending.push(Uint8Array.from(data));
      if (this.length - this.flushed >= BUFFER) await this.flush();
      return;
    }
    await this.flush(data.length);
    await writeFully(this.handle, data, this.flushed);
    this.flushed = this.length;
  }

  /** Writes what is gathered; `beyond` bytes follow it and are counted already. */
  private async flush(beyond = 0): Promise<void> {
    await writeFully(this.handle, Buffer.concat(this.pending), this.flushed);
    this.flushed = this.length - beyond;
    this.pending = [];
  }

  /** Overwrites bytes already written. */
  async patch(data: Uint8Array, position: number): Promise<void> {
    await this.flush();
    await writeFully(this.handle, data, position);
  }

  /** What was written so far, piece by piece. */
  async *readBack(): AsyncGenerator<Uint8Array> {
    await this.flush();
    for (let at = 0; at < this.length; ) {
      const { bytesRead, buffer } = await this.handle.read(Buffer.alloc(Math.min(BUFFER, this.length - at)), {
        position: at,
      });
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
      at += bytesRead;
    }
  }

  /** Makes the file appear at `path`, replacing what stood there. */
  async commit(): Promise<void> {
    await this.flush();
    await this.handle.sync();
    await this.handle.close();
    await rename(this.temporary, this.path);
    begun.delete(this.temporary);
    await syncFolder(dirname(this.path));
  }

  /** Gives the file up; nothing stays behind. */
  async abort(): Promise<void> {
    await this.handle.close().catch(() => {});
    await rm(this.temporary, { force: true });
    begun.delete(this.temporary);
  }
}

async function writeFully(handle: FileHandle, data: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < data.length; ) {
    const length = Math.min(data.length - done, LARGEST_WRITE);
    const { bytesWritten } = await handle.write(data, done, length, position + done);
    done += bytesWritten;
  }
}

/** Runs `fill` on a new atomic file and commits it, or leaves nothing if `fill` throws. */
export async function withAtomicFile<T>(path: string, fill: (file: AtomicFile) => Promise<T>): Promise<T> {
  const file = await AtomicFile.create(path);
  try {
    const result = await fill(file);
    await file.commit();
    return result;
  } catch (error) {
    await file.abort();
    throw error;
  }
}

/** Writes a whole file; an existing one is replaced in one step. */
export async function writeFileAtomic(path: string, data: Uint8Array | string): Promise<void> {
  const bytes = typeof data === "string" ? Buffer.from(data, "utf8") : data;
  await withAtomicFile(path, (file) => file.write(bytes));
}

/**
 * An empty folder beside `path` for what will take its place. What killed processes left of such is swept first; this one
 * is the caller's to rename or remove.
 */
export async function makeAside(path: string): Promise<string> {
  await makeFolder(dirname(path));
  await cleanLeftovers(dirname(path), basename(path));
  const aside = sideName(path, "tmp");
  begun.set(aside, null);
  await mkdir(aside);
  return aside;
}

/** Gives `use` an empty folder for temporary files among the system's, which goes at the end, and where a signal ends the program. */
export async function withScratch<T>(name: string, use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), `atmorep-${name}-`));
  begun.set(folder, null);
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
    begun.delete(folder);
  }
}

/**
 * Writes a folder: `fill` gets the path of an empty folder beside `path`, which then takes its place.
 * A folder cannot be renamed over another, so for an instant the former one stands aside; it is put back if the new one
 * cannot take its place, by `cleanLeftovers` if the process was killed in that instant.
 * @param options `replace: false`: a folder that is there by then stays, and the new one is given up (ENOTEMPTY or EEXIST)
 */
export async function writeDirectoryAtomic<T>(
  path: string,
  fill: (folder: string) => Promise<T>,
  { replace = true } = {},
): Promise<T> {
  const temporary = await makeAside(path);
  try {
    const result = await fill(temporary);
    await syncTree(temporary);
    if (replace) await replaceFolder(temporary, path);
    else {
      await rename(temporary, path);
      begun.delete(temporary);
      await syncFolder(dirname(path));
    }
    return result;
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => {});
    begun.delete(temporary);
    throw error;
  }
}

/** Puts the folder `from`, whose files are on disk, in the place of `to`, and removes what stood there. */
export async function replaceFolder(from: string, to: string): Promise<void> {
  const former = sideName(to, "old");
  begun.set(from, { path: to, former });
  const aside = await takePlace(from, to, former);
  begun.delete(from);
  try {
    await syncFolder(dirname(to));
  } finally {
    if (aside) await rm(former, { recursive: true, force: true });
  }
}

/**
 * Renames the folder `from` to `to`. What stands there is put aside as `former`, and back if `from` cannot take its place.
 * @returns whether something was put aside
 */
export async function takePlace(from: string, to: string, former: string): Promise<boolean> {
  let aside = false;
  try {
    if (existsSync(to)) {
      await rename(to, former);
      aside = true;
    }
    await rename(from, to);
    return aside;
  } catch (error) {
    // If even this fails, the former folder stays under the name that tells what it was.
    if (aside) await rename(former, to).catch(() => {});
    throw error;
  }
}

/** Puts a folder with all below it on disk. @param contents false: of files the names alone, for those that are on disk already */
export async function syncTree(folder: string, contents = true): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await syncTree(path, contents);
    else if (contents) {
      const handle = await open(path, "r+");
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    }
  }
  await syncFolder(folder);
}

/**
 * Sweeps what killed processes left in `folder` (not below it): unfinished files and folders are removed, a folder
 * that had been put aside and whose successor never came is put back. A missing folder is no fault.
 * @param of only of the file or folder of this name; whoever writes one sweeps what an earlier writer of it left
 * @returns the names that were removed or put back
 */
export async function cleanLeftovers(folder: string, of?: string): Promise<string[]> {
  const swept: string[] = [];
  for (const name of await readdir(folder).catch(() => [])) {
    const match = LEFTOVER.exec(name);
    if (!match) continue;
    const [, target, kind, host, pid] = match;
    if (of !== undefined && target !== of) continue;
    const path = join(folder, name);
    if (await inUse(path, host, Number(pid))) continue;
    if (kind === "old" && !existsSync(join(folder, target))) await rename(path, join(folder, target));
    else await rm(path, { recursive: true, force: true });
    swept.push(name);
  }
  return swept;
}

async function inUse(path: string, host: string, pid: number): Promise<boolean> {
  if (host !== HOST) {
    const info = await stat(path).catch(() => null);
    return info !== null && Date.now() - info.mtimeMs < FOREIGN_LEFTOVER_MS;
  }
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
