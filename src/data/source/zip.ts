import { crc32, inflateRawSync } from "node:zlib";
import { AtmorepError, isAtmorepError } from "../../errors.js";
import { openFile, readRange, type ZipEntry, ZipReader } from "../../formats/zip/reader.js";
import { type ByteSource, METADATA_BYTES, sliceRange, tooLarge } from "./types.js";

const DEFLATED = 8;

/** A store in a zip file, entries stored or deflated; only the directory of the archive is held in memory. */
export async function zipSource(path: string): Promise<ByteSource> {
  const reader = await ZipReader.open(path).catch((cause) => {
    if (isAtmorepError(cause) && !/: not a zip archive/.test(cause.message)) throw cause;
    throw new AtmorepError("input", "not a folder and not a zip archive", {
      where: path,
      expected: "a Zarr store: a folder, a zip file or an http address",
      cause,
    });
  });
  const handle = await openFile(path);
  const prefix = commonFolder([...reader.entries.keys()]);
  const entryOf = (key: string) => reader.entries.get(prefix + key.slice(1));

  async function inflate(entry: ZipEntry, limit: number): Promise<Uint8Array> {
    const where = `${path}: ${entry.name}`;
    if (entry.size > limit) throw tooLarge(where, entry.size, limit);
    if (entry.method !== DEFLATED) {
      throw new AtmorepError("input", "unsupported zip compression", {
        where,
        found: entry.method,
        expected: "0 or 8",
      });
    }
    const header = await readRange(path, handle, entry.offset, 30, reader.fileSize);
    const start = entry.offset + 30 + header[26] + header[27] * 256 + header[28] + header[29] * 256;
    const packed = await readRange(path, handle, start, entry.storedSize, reader.fileSize);
    let bytes: Buffer;
    try {
      bytes = inflateRawSync(packed, { maxOutputLength: Math.max(1, entry.size), chunkSize: Math.max(64, entry.size) });
    } catch (cause) {
      throw damaged(where, cause);
    }
    if (bytes.length !== entry.size || crc32(bytes) !== entry.crc) throw damaged(where);
    return bytes;
  }

  return {
    remote: false,
    async get(key, limit = METADATA_BYTES, lend) {
      const entry = entryOf(key);
      if (!entry) return undefined;
      if (entry.size > limit) throw tooLarge(`${path}: ${entry.name}`, entry.size, limit);
      return entry.method === 0 ? reader.read(entry, 0, entry.size, lend) : inflate(entry, limit);
    },
    async getRange(key, range, limit = METADATA_BYTES, lend) {
      const entry = entryOf(key);
      if (!entry) return undefined;
      if (entry.method !== 0) return sliceRange(await inflate(entry, limit), range);
      if ("suffixLength" in range) return reader.read(entry, Math.max(0, entry.size - range.suffixLength));
      const offset = Math.min(range.offset, entry.size);
      return reader.read(entry, offset, Math.min(range.length, entry.size - offset), lend);
    },
    size: async (key) => entryOf(key)?.storedSize,
    async close() {
      await reader.close();
      await handle.close();
    },
  };
}

function damaged(where: string, cause?: unknown): AtmorepError {
  return new AtmorepError("input", "a zip entry is damaged", { where, fix: "Copy or write the store again", cause });
}

/** `name.zarr/` if the archive was made of the folder rather than of what is in it, else the empty text. */
export function commonFolder(names: readonly string[]): string {
  if (names.some((name) => !name.includes("/"))) return "";
  const folders = new Set(names.map((name) => name.slice(0, name.indexOf("/") + 1)));
  return folders.size === 1 ? [...folders][0] : "";
}
