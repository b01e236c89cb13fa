import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { AtmorepError } from "../../errors.js";
import type { ByteSource } from "./types.js";

/** A store in a folder. */
export function directorySource(root: string): ByteSource {
  return {
    remote: false,
    get: (key) => orUndefined(readFile(join(root, key)), join(root, key)),
    getRange: (key, range) => orUndefined(readPart(join(root, key), range), join(root, key)),
    close: async () => {},
  };
}

async function readPart(path: string, range: Parameters<ByteSource["getRange"]>[1]): Promise<Uint8Array> {
  const handle = await open(path, "r");
  try {
    const { size } = await handle.stat();
    const offset = "suffixLength" in range ? Math.max(0, size - range.suffixLength) : range.offset;
    const length = Math.min("suffixLength" in range ? range.suffixLength : range.length, Math.max(0, size - offset));
    const bytes = new Uint8Array(length);
    const { bytesRead } = await handle.read(bytes, 0, length, offset);
    return bytes.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

async function orUndefined(reading: Promise<Uint8Array>, path: string): Promise<Uint8Array | undefined> {
  try {
    return await reading;
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    // A key below a file or equal to a folder names nothing, as a missing file does.
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR") return undefined;
    throw new AtmorepError("input", `cannot be read (${code ?? cause})`, { where: path, cause });
  }
}
