/** Rooms of the sources as JavaScript, as they are now: what worker threads need. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Translates rooms (and `errors.ts`) file by file into a folder of its own, which `remove` takes away. */
export function translateRooms(rooms: readonly string[]): { path: string; remove: () => void } {
  mkdirSync(join(root, ".cache"), { recursive: true });
  const path = mkdtempSync(join(root, ".cache", "workers-"));
  for (const room of rooms) translate(join(root, "src", room), join(path, room));
  translateFile(join(root, "src/errors.ts"), join(path, "errors.js"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

function translate(from: string, to: string): void {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const path = join(from, entry.name);
    if (entry.isDirectory()) translate(path, join(to, entry.name));
    else if (entry.name.endsWith(".ts")) translateFile(path, join(to, entry.name.replace(/\.ts$/, ".js")));
  }
}

function translateFile(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  const compilerOptions = { module: ts.ModuleKind.ES2022, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: false };
  writeFileSync(to, ts.transpileModule(readFileSync(from, "utf8"), { compilerOptions }).outputText);
}
