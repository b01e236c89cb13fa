/** Rooms of the sources as JavaScript, as they are now: what worker threads need. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
// of Vitest, whose own translation of the tests it is; TypeScript's takes a hundred times as long
import { transformWithOxc } from "vite";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Translates rooms (and the files beside them that they all use) file by file into a folder of its own, which `remove` takes away. */
export async function translateRooms(rooms: readonly string[]): Promise<{ path: string; remove: () => void }> {
  mkdirSync(join(root, ".cache"), { recursive: true });
  const path = mkdtempSync(join(root, ".cache", "workers-"));
  for (const room of rooms) await translate(join(root, "src", room), join(path, room));
  for (const name of ["errors", "shown", "budgets"]) {
    await translateFile(join(root, `src/${name}.ts`), join(path, `${name}.js`));
  }
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

async function translate(from: string, to: string): Promise<void> {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const path = join(from, entry.name);
    if (entry.isDirectory()) await translate(path, join(to, entry.name));
    else if (entry.name.endsWith(".ts")) await translateFile(path, join(to, entry.name.replace(/\.ts$/, ".js")));
  }
}

async function translateFile(from: string, to: string): Promise<void> {
  mkdirSync(dirname(to), { recursive: true });
  writeFileSync(to, (await transformWithOxc(readFileSync(from, "utf8"), from, { sourcemap: false })).code);
}
