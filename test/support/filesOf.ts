/** What a folder holds. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Every file below a folder: its path in it, and its bytes as text of one kind; in the order of the paths. */
export function filesOf(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1)).sort();
  return Object.fromEntries(paths.map((path) => [path, readFileSync(join(folder, path), "latin1")]));
}
