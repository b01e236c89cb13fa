/**
 * Files and folders that are written whole or not at all: a temporary name beside the target, fsync of the data,
 * rename, fsync of the folder. What a killed process leaves is swept by whoever writes the same file next, or by
 * `cleanLeftovers` at the next start of a run.
 */
import { existsSync } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join, resolve } from "node:path";

/** Leftovers of another machine are swept after this time: their process cannot be looked up. */
const FOREIGN_LEFTOVER_MS = 24 * 3600 * 1000;
const HOST = hostname().replace(/[^A-Za-z0-9]/g, "");
const LEFTOVER = /^\.(.+)\.(tmp|old)-([A-Za-z0-9]*)-(\d+)-\d+$/;
let counter = 0;

function sideName(path: string, kind: "tmp" | "old"): string {
  counter += 1;
  return join(dirname(path), `.${basename(path)}.${kind}-${HOST}-${process.pid}-${counter}`);
}

/** What systems that cannot open or fsync a folder answer; the rename itself is still atomic there. */
const NO_FOLDER_SYNC = new Set(["EISDIR", "EPERM", "EACCES", "EINVAL", "ENOTSUP", "ENOSYS", "EBADF"]);

async function syncFolder(path: string): Promise<void> {
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
async function makeFolder(path: string): Promise<void> {
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
    await syncFolder(dirname(this.path));
  }

  /** Gives the file up; nothing stays behind. */
  async abort(): Promise<void> {
    await this.handle.close().catch(() => {});
    await rm(this.temporary, { force: true });
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
 * Writes a folder: `fill` gets the path of an empty folder beside `path`, which then takes its place.
 * A folder cannot be renamed over another, so for an instant the former one stands aside; it is put back if the new one
 * cannot take its place, by `cleanLeftovers` if the process was killed in that instant.
 */
export async function writeDirectoryAtomic(path: string, fill: (folder: string) => Promise<void>): Promise<void> {
  await makeFolder(dirname(path));
  await cleanLeftovers(dirname(path), basename(path));
  const temporary = sideName(path, "tmp");
  await mkdir(temporary);
  const former = sideName(path, "old");
  let aside = false;
  try {
    await fill(temporary);
    await syncTree(temporary);
    if (existsSync(path)) {
      await rename(path, former);
      aside = true;
    }
    await rename(temporary, path);
  } catch (error) {
    // If even this fails, the former folder stays where cleanLeftovers finds it.
    if (aside) await rename(former, path).catch(() => {});
    await rm(temporary, { recursive: true, force: true }).catch(() => {});
    throw error;
  }
  try {
    await syncFolder(dirname(path));
  } finally {
    if (aside) await rm(former, { recursive: true, force: true });
  }
}

async function syncTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await syncTree(path);
    else {
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
