/** The TypeScript that compiles cells: the project's own, an ordinary dependency. */
import { createRequire } from "node:module";
import type * as TS from "typescript";
import { type Loaded, loadCached } from "./codeCache.js";

export type TypeScript = typeof TS;

const require = createRequire(import.meta.url);
let loaded: Loaded | undefined;

/** @param cacheFolder folder in which its compiled code is kept from start to start; counts at the first call */
export function loadTypeScript(cacheFolder?: string): TypeScript {
  const path = require.resolve("typescript");
  loaded ??=
    cacheFolder === undefined
      ? { exports: require(path), save: () => {} }
      : loadCached(path, cacheFolder, require("typescript/package.json").version);
  return loaded.exports as TypeScript;
}

/** Keeps the compiler's compiled code for the next start, where there is a folder for it. */
export const saveTypeScript = (): void => loaded?.save();
