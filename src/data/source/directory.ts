import { constants, type Stats } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { join } from "node:path";
import { AtmorepError, isAtmorepError } from "../../errors.js";
import { type ByteRange, type ByteSource, METADATA_BYTES, notAFile, tooLarge } from "./types.js";

/** Opening a pipe must not wait for whoever writes to it. */
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** A store in a folder. */
export function directorySource(root: string): ByteSource {
  return {
    remote: false,
    get: (key, limit = METADATA_BYTES) =>
      withFile(join(root, key), (handle, { size }, path) => {
        if (size > limit) throw tooLarge(path, size, limit);
        return readPart(handle, 0, size);
      }),
    getRange: (key, range) =>
      withFile(join(root, key), (handle, { size }) => {
        const { offset, length } = within(range, size);
        return readPart(handle, offset, length);
      }),
    size: async (key) => {
      const info = await stat(join(root, key)).catch(() => undefined);
      return info?.isFile() ? info.size : undefined;
    },
    close: async () => {},
  };
}

/** The bytes of a range that a file of `size` bytes has. */
function within(range: ByteRange, size: number): { offset: number; length: number } {
  if ("suffixLength" in range) {
    const length = Math.min(range.suffixLength, size);
    return { offset: size - length, length };
  }
  return { offset: range.offset, length: Math.min(range.length, Math.max(0, size - range.offset)) };
}

/** Bytes in memory of their own: typed arrays can be laid over them. */
async function readPart(handle: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(bytes, done, Math.min(length - done, 2 ** 30), offset + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}

type Reader = (handle: FileHandle, info: Stats, path: string) => Promise<Uint8Array>;

async function withFile(path: string, read: Reader): Promise<Uint8Array | undefined> {
  try {
    const handle = await open(path, FLAGS);
    try {
      const info = await handle.stat();
      if (info.isDirectory()) return undefined;
      if (!info.isFile()) throw notAFile(path);
      return await read(handle, info, path);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (isAtmorepError(cause)) throw cause;
    const code = (cause as NodeJS.ErrnoException).code;
    // A key below a file or equal to a folder names nothing, as a missing file does.
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR") return undefined;
    throw new AtmorepError("input", `cannot be read (${code ?? cause})`, { where: path, cause });
  }
}
