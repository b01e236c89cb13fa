/**
 * What servers have answered, on disk, for all processes of a user: an entry an address and part, whose bytes lie apart
 * under their own SHA-256 and are checked whenever they are read.
 */
import { createHash, randomUUID } from "node:crypto";
import { access, constants, mkdir, readdir, rename, rm, stat, statfs, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readBounded, readJsonBounded } from "../../../budgets.js";
import { userCache } from "../../userCache.js";

/** What is known of an address: whether there is something, which version, and its bytes. */
export interface Entry {
  /** the address without its query; the query only enters the name of the entry */
  address: string;
  /** SHA-256 of the bytes; null: the server has no such file */
  digest: string | null;
  etag?: string;
  lastModified?: string;
  /** the run that has asked the server last: for that one the entry holds without asking again */
  session: string;
  /** the server ignored the range and sent the whole: these are the whole's bytes */
  whole?: boolean;
}

const GIB = 2 ** 30;
const DEFAULT_GIB = 20;
/** of the free space, at most */
const SHARE_OF_DISK = 0.2;
/** written since the last look before sizes are looked at again */
const LOOK_AGAIN = 0.05;
const ENTRY_DAYS = 90;

export const sha256 = (data: Uint8Array | string) => createHash("sha256").update(data).digest("hex");

/**
 * The cache's folder: `ATMOREP_HTTP_CACHE`, else `atmorep/http` in `XDG_CACHE_HOME` or `~/.cache`; null if the variable
 * is `off` or the folder cannot be made.
 */
export async function cacheFolder(): Promise<string | null> {
  const asked = process.env.ATMOREP_HTTP_CACHE;
  if (asked === "off") return null;
  const folder = asked || userCache("http");
  try {
    await mkdir(join(folder, "entries"), { recursive: true });
    await mkdir(join(folder, "bytes"), { recursive: true });
    await access(folder, constants.W_OK);
    return folder;
  } catch (error) {
    process.stderr.write(
      `${folder}: what servers send cannot be kept here (${(error as NodeJS.ErrnoException).code}); ATMOREP_HTTP_CACHE names another folder, or "off"\n`,
    );
    return null;
  }
}

/** Bound of the bytes: `ATMOREP_HTTP_CACHE_GIB`, else 20 GiB and at most a fifth of what is free. */
async function boundOf(folder: string): Promise<number> {
  const asked = Number(process.env.ATMOREP_HTTP_CACHE_GIB);
  if (process.env.ATMOREP_HTTP_CACHE_GIB && asked >= 0) return asked * GIB;
  const { bavail, bsize } = await statfs(folder);
  return Math.min(DEFAULT_GIB * GIB, SHARE_OF_DISK * bavail * bsize);
}

export class DiskCache {
  private sinceLook = Number.POSITIVE_INFINITY;
  private bound: number | null = null;
  private sweeping: Promise<void> | null = null;

  constructor(private readonly folder: string) {}

  private entryPath = (key: string) => join(this.folder, "entries", `${sha256(key)}.json`);
  private bytesPath = (digest: string) => join(this.folder, "bytes", digest.slice(0, 2), digest);

  /** What is known of a key; null also for an entry that cannot be read. */
  async entry(key: string): Promise<Entry | null> {
    try {
      const found = (await readJsonBounded(this.entryPath(key))) as Entry;
      const valid = found.digest === null || /^[0-9a-f]{64}$/.test(found.digest);
      return valid && typeof found.session === "string" ? found : null;
    } catch {
      return null;
    }
  }

  /** The bytes of an entry; null if they are gone or not what they were. */
  async bytes({ digest }: Entry, limit: number): Promise<Uint8Array | null> {
    if (digest === null) return null;
    const path = this.bytesPath(digest);
    try {
      if ((await stat(path)).size > limit) return null;
      const found = await readBounded(path, limit);
      if (sha256(found) !== digest) {
        await rm(path, { force: true });
        return null;
      }
      const now = new Date();
      await utimes(path, now, now);
      // memory of its own: typed arrays are laid over it
      return found.byteOffset === 0 && found.buffer.byteLength === found.length ? found : Uint8Array.from(found);
    } catch {
      return null;
    }
  }

  /** Keeps an entry and its bytes. A disk that is full or gone costs the cache, not the run. */
  async keep(key: string, entry: Entry, bytes: Uint8Array | null): Promise<void> {
    try {
      if (bytes && entry.digest) {
        const path = this.bytesPath(entry.digest);
        await mkdir(join(path, ".."), { recursive: true });
        await put(path, bytes);
        this.sinceLook += bytes.length;
      }
      await put(this.entryPath(key), JSON.stringify(entry));
    } catch {
      return;
    }
    this.bound ??= await boundOf(this.folder).catch(() => 0);
    if (this.sinceLook > LOOK_AGAIN * this.bound) {
      this.sweeping ??= this.sweepWhileWritten(this.bound).finally(() => {
        this.sweeping = null;
      });
    }
  }

  private async sweepWhileWritten(bound: number): Promise<void> {
    do {
      this.sinceLook = 0;
      await this.sweep(bound);
    } while (this.sinceLook > LOOK_AGAIN * bound);
  }

  /** The bytes of a key are not to be used again. */
  async forget(key: string): Promise<void> {
    const entry = await this.entry(key);
    if (entry?.digest) await rm(this.bytesPath(entry.digest), { force: true }).catch(() => {});
    await rm(this.entryPath(key), { force: true }).catch(() => {});
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    await this.sweeping;
  }

  /** Removes bytes that were not read for longest until the bound holds, and entries that nobody wrote for months. */
  private async sweep(bound: number): Promise<void> {
    const files: { path: string; size: number; used: number }[] = [];
    for await (const path of filesIn(join(this.folder, "bytes"))) {
      const info = await stat(path).catch(() => null);
      if (info) files.push({ path, size: info.size, used: info.mtimeMs });
    }
    files.sort((a, b) => a.used - b.used);
    let total = files.reduce((sum, { size }) => sum + size, 0);
    for (const { path, size } of files) {
      if (total <= bound) break;
      await rm(path, { force: true }).catch(() => {});
      total -= size;
    }
    for await (const path of filesIn(join(this.folder, "entries"))) {
      const info = await stat(path).catch(() => null);
      if (info && Date.now() - info.mtimeMs > ENTRY_DAYS * 86_400_000) await rm(path, { force: true }).catch(() => {});
    }
  }
}

async function* filesIn(folder: string): AsyncGenerator<string> {
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesIn(path);
    else yield path;
  }
}

/** Whole or not at all; lost in a power failure at worst, which the digest tells. */
async function put(path: string, data: Uint8Array | string): Promise<void> {
  const side = `${path}.${process.pid}-${randomUUID().slice(0, 8)}`;
  try {
    await writeFile(side, data);
    await rename(side, path);
  } catch (error) {
    await rm(side, { force: true }).catch(() => {});
    throw error;
  }
}
