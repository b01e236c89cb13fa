/** What targets share. They take the compiled program (`npm run build`), and run under jazzer.js as they are. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isAtmorepError } from "../../dist/errors.js";

/** A target: whatever the bytes, a reader gives a value or throws the project's own error; `refuses` names others that it may. */
export const reader =
  (read, refuses = isAtmorepError) =>
  async (data) => {
    try {
      await read(data);
      return true;
    } catch (error) {
      if (refuses(error)) return false;
      throw error;
    }
  };

let folder;
/** A folder of this process, which goes with it. */
export function scratch() {
  if (!folder) {
    folder = mkdtempSync(join(tmpdir(), "atmorep-fuzz-"));
    process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  }
  return folder;
}

/** The bytes as a file, for readers that take a path. */
export function asFile(data, name) {
  const path = join(scratch(), name);
  writeFileSync(path, data);
  return path;
}

/** Opens, uses and closes. */
export async function using(opening, use) {
  const opened = await opening;
  try {
    await use(opened);
  } finally {
    await opened.close();
  }
}

/** A source of a store whose files are in memory. */
export const memorySource = (files) => ({
  remote: false,
  get: async (key) => files.get(key),
  getRange: async (key, range) => {
    const bytes = files.get(key);
    if (!bytes) return undefined;
    if ("suffixLength" in range) return bytes.subarray(Math.max(0, bytes.length - range.suffixLength));
    return bytes.subarray(range.offset, range.offset + range.length);
  },
  close: async () => {},
});

export const bytesOfFile = (path) => readFileSync(new URL(`../../${path}`, import.meta.url));
