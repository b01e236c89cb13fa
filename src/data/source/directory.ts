import { closeSync, constants, fstatSync, open, read } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { notAFile } from "../../budgets.js";
import { AtmorepError, isAtmorepError } from "../../errors.js";
import { type ByteRange, type ByteSource, type Lend, METADATA_BYTES, tooLarge } from "./types.js";

/** Opening a pipe must not wait for whoever writes to it. */
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** What may wait goes to another thread; looking at an open file and letting it go do not, and the way there costs more. */
const calls = { open: promisify(open), read: promisify(read) };

/** A store in a folder. */
export function directorySource(root: string): ByteSource {
  return {
    remote: false,
    get: (key, limit = METADATA_BYTES, lend) =>
      withFile(join(root, key), (file, size, path) => {
        if (size > limit) throw tooLarge(path, size, limit);
        return readPart(file, 0, size, lend);
      }),
    getRange: (key, range, _, lend) =>
      withFile(join(root, key), (file, size) => {
        const { offset, length } = within(range, size);
        return readPart(file, offset, length, lend);
      }),
    size: async (key) => {
      const info = await stat(join(root, key)).catch(() => undefined);
      return info?.isFile() ? info.size : undefined;
    },
    async folders(path) {
      const entries = await readdir(join(root, path), { withFileTypes: true }).catch(() => []);
      return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
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

/** Bytes in memory of their own unless some is lent: typed arrays can be laid over them. */
async function readPart(file: number, offset: number, length: number, lend?: Lend): Promise<Uint8Array> {
  const bytes = lend?.(length) ?? new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await calls.read(file, bytes, done, Math.min(length - done, 2 ** 30), offset + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}

type Reader = (file: number, size: number, path: string) => Promise<Uint8Array>;

async function withFile(path: string, read: Reader): Promise<Uint8Array | undefined> {
  try {
    const file = await calls.open(path, FLAGS);
    try {
      const info = fstatSync(file);
      if (info.isDirectory()) return undefined;
      if (!info.isFile()) throw notAFile(path);
      return await read(file, info.size, path);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    if (isAtmorepError(cause)) throw cause;
    const code = (cause as NodeJS.ErrnoException).code;
    // A key below a file or equal to a folder names nothing, as a missing file does.
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR") return undefined;
    throw new AtmorepError("input", `cannot be read (${code ?? cause})`, { where: path, cause });
  }
}
