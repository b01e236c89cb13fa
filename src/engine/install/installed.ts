/** The list of a part's files that lies beside them, so that what is there and whole is not fetched again. */
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sha256Of } from "./digest.js";
import type { Extracted } from "./wheel.js";

const LIST = "installed.json";

/** What a list says of a part. */
export interface PartList {
  version: string;
  /** files with paths below the install folder */
  files: Extracted[];
}

/** @param folder the install folder, @param first the part's first folder below it */
export async function writeList(folder: string, first: string, list: PartList): Promise<void> {
  await writeFile(join(folder, first, LIST), `${JSON.stringify(list, null, 2)}\n`);
}

/** The list of a part whose every file is there with its checksum, else null. */
export async function readWhole(folder: string, first: string): Promise<PartList | null> {
  try {
    const list = JSON.parse(await readFile(join(folder, first, LIST), "utf8")) as PartList;
    for (const { file, bytes, sha256 } of list.files) {
      const path = join(folder, file);
      if ((await stat(path)).size !== bytes || (await sha256Of(path, "base64url")) !== sha256) return null;
    }
    return list;
  } catch {
    // whatever is missing or cannot be read is fetched again
    return null;
  }
}
