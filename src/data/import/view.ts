/** Reading parts of a large file. */
import { type FileHandle, open } from "node:fs/promises";
import { AtmorepError } from "../../errors.js";

export interface FileView {
  path: string;
  size: number;
  /** @throws AtmorepError (input) if the file ends before `offset + length` */
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** @throws AtmorepError (input) if the file cannot be opened */
export async function openFileView(path: string): Promise<FileView> {
  let handle: FileHandle;
  let size: number;
  try {
    handle = await open(path, "r");
    size = (await handle.stat()).size;
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    throw new AtmorepError("input", code === "ENOENT" ? "there is no such file" : `cannot be opened (${code})`, {
      where: path,
      cause,
    });
  }
  return {
    path,
    size,
    async read(offset, length) {
      const short = offset + length > size;
      // Memory of its own, since typed arrays need aligned memory.
      const bytes = new Uint8Array(short ? 0 : length);
      for (let done = 0; done < bytes.length; ) {
        const { bytesRead } = await handle.read(bytes, done, bytes.length - done, offset + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      if (!short) return bytes;
      throw new AtmorepError("input", "the file is cut short", {
        where: path,
        found: `${size} bytes`,
        expected: `at least ${offset + length}`,
        fix: "Copy or download it again",
      });
    },
    close: () => handle.close(),
  };
}
