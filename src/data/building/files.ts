/** Files of a store that is being built: on disk before they count as written. */
import { mkdir, open, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { systemFault } from "../../formats/systemFault.js";
import type { StoreSink } from "../zarr/write.js";

/** A sink into a folder, and what it took. A file of the same name that was left unfinished is written anew. */
export function trackedSink(folder: string): StoreSink & { files: [key: string, bytes: number][] } {
  const made = new Set<string>();
  const files: [string, number][] = [];
  return {
    files,
    async put(key, content) {
      const path = join(folder, key);
      const parent = dirname(path);
      const bytes = typeof content === "string" ? Buffer.from(content, "utf8") : content;
      try {
        if (!made.has(parent)) await mkdir(parent, { recursive: true });
        made.add(parent);
        await writeDown(path, bytes);
      } catch (error) {
        throw systemFault(error, "failed", "a file cannot be written", {
          where: path,
          fix: "Make room, or mend what is wrong, and call the same again: what is done is kept",
        });
      }
      files.push([key, bytes.length]);
    },
  };
}

async function writeDown(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, "w");
  try {
    await handle.writeFile(bytes);
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

/** Names of all files below a folder, in order. */
export async function filesBelow(folder: string, prefix = ""): Promise<string[]> {
  const entries = await readdir(join(folder, prefix), { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const names: string[] = [];
  for (const entry of entries) {
    const name = `${prefix}${entry.name}`;
    if (entry.isDirectory()) names.push(...(await filesBelow(folder, `${name}/`)));
    else names.push(name);
  }
  return names;
}
