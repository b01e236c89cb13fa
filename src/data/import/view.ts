/** Reading parts of a large file. */
import type { FileHandle } from "node:fs/promises";
import { openRegular } from "../../budgets.js";
import { AtmorepError, isAtmorepError } from "../../errors.js";

export interface FileView {
  path: string;
  size: number;
  /** @throws AtmorepError (input) if the file ends before `offset + length` */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** @throws AtmorepError (input) if the file has fewer bytes */
  expect(bytes: number): void;
  close(): Promise<void>;
}

/** @throws AtmorepError (input) if the file cannot be opened */
export async function openFileView(path: string): Promise<FileView> {
  let handle: FileHandle;
  let size: number;
  try {
    handle = await openRegular(path);
    size = (await handle.stat()).size;
  } catch (cause) {
    if (isAtmorepError(cause)) throw cause;
    const code = (cause as NodeJS.ErrnoException).code;
    throw new AtmorepError("input", code === "ENOENT" ? "there is no such file" : `cannot be opened (${code})`, {
      where: path,
      cause,
    });
  }
  const expect = (bytes: number) => {
    if (bytes <= size) return;
    throw new AtmorepError("input", "the file is cut short", {
      where: path,
      found: `${size} bytes`,
      expected: `at least ${bytes}`,
      fix: "Copy or download it again",
    });
  };
  return {
    path,
    size,
    expect,
    async read(offset, length) {
      expect(offset + length);
      // Memory of its own, since typed arrays need aligned memory.
      const bytes = new Uint8Array(length);
      let done = 0;
      while (done < length) {
        const { bytesRead } = await handle.read(bytes, done, bytes.length - done, offset + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      if (done === length) return bytes;
      throw new AtmorepError("input", "the file became shorter while it was read", {
        where: path,
        found: `${offset + done} bytes`,
      });
    },
    close: () => handle.close(),
  };
}
