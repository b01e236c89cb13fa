/** The function that a cell becomes, and what it finds as a module finds it. */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { Script } from "node:vm";
import { REQUIRE, RUN, RUNTIME } from "./instrument.js";

type Require = (id: string) => unknown;

export interface CellScope {
  exports: Record<string, unknown>;
  require: Require;
  runtime: object;
  /** the notebook's */
  folder: string;
}

/**
 * A cell's code as a function of its run. Its own names stand in a function within, so that a cell may declare what an
 * ES module declares, such as `require` and `__dirname`.
 * @param filename names it in stack frames
 */
export function cellFunction(code: string, filename: string, scope: CellScope): (run: unknown) => Promise<void> {
  const wrapped =
    `"use strict"; (function (exports, require, ${REQUIRE}, __filename, __dirname, ${RUNTIME}) ` +
    `{ return async function (${RUN}) { ${code}\n} })`;
  const { exports, require, runtime, folder } = scope;
  const file = join(folder, "__cell__.js");
  return new Script(wrapped, { filename }).runInThisContext()(exports, require, require, file, folder, runtime);
}

/** `import.meta` of the module that lies at `filename`. */
export function importMeta(filename: string): Record<string, unknown> {
  const { href } = pathToFileURL(filename);
  const resolve = (specifier: string) =>
    /^\.{0,2}\//.test(specifier)
      ? new URL(specifier, href).href
      : pathToFileURL(createRequire(filename).resolve(specifier)).href;
  return { url: href, filename, dirname: dirname(filename), resolve };
}
