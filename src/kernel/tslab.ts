/**
 * The one place that reaches into tslab and its TypeScript: every deep import is here, and test/kernel/tslab.test.ts
 * holds what is relied on. tslab turns cells into JavaScript with declarations carried from cell to cell; here its
 * compiler gets strict checks, `exports`-aware resolution, source maps, and a pass that makes loops interruptible.
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type * as TS from "@tslab/typescript-for-tslab";
import { type Carried, carry, mentioned, print } from "./carried.js";
import { answerDependencies, bindCells, CELL_FILES } from "./dependencies.js";
import { type Compiled, type InstrumentResult, instrument } from "./instrument.js";
import { spellOutShorthands } from "./shorthand.js";
import { SourceLines } from "./sourceLines.js";

export type TypeScript = typeof TS;

export interface Diagnostic {
  /** zero-based, in the cell or in `fileName` */
  start: { line: number; character: number };
  messageText: string;
  fileName?: string;
}

export interface ConvertedCell extends Compiled {
  diagnostics: Diagnostic[];
  /** declarations for the cells that follow */
  declarations: readonly Carried[];
  /** name of the export that holds the value of the last expression */
  resultName?: string;
  /** local modules that the cell imports: absolute path to JavaScript */
  modules: { path: string; code: string }[];
}

export interface Converter {
  convert(previous: readonly Carried[], source: string): ConvertedCell;
  /** @param cursor in UTF-16 units */
  complete(
    previous: readonly Carried[],
    source: string,
    cursor: number,
  ): { start: number; end: number; candidates: string[] };
  /** Signature and documentation at the cursor, or undefined. */
  inspect(previous: readonly Carried[], source: string, cursor: number): string | undefined;
  close(): void;
}

interface TslabConverter {
  convert(
    previous: string,
    source: string,
  ): {
    output?: string;
    declOutput?: string;
    diagnostics: Diagnostic[];
    lastExpressionVar?: string;
    sideOutputs?: { path: string; data: string }[];
  };
  complete(previous: string, source: string, position: number): { start: number; end: number; candidates: string[] };
  inspect(previous: string, source: string, position: number): TS.QuickInfo | undefined;
  close(): void;
}

export interface ConverterSetup {
  /** declarations of the globals that every cell sees */
  globals: string;
  /** folder whose packages are used where the notebook's own folder has none */
  fallbackRoot?: string;
}

const require = createRequire(import.meta.url);
const tslabRoot = dirname(require.resolve("tslab/package.json"));
const tslabRequire = createRequire(join(tslabRoot, "package.json"));

/** Name of the globals' declaration file; it exists in memory only. */
const GLOBALS_FILE = "__kernel_globals__.d.ts";
const INLINE_MAP = /\n?\/\/# sourceMappingURL=data:application\/json;base64,([A-Za-z0-9+/=]+)\s*$/;

export const typescript = tslabRequire("@tslab/typescript-for-tslab") as TypeScript;

/** Versions of tslab and of the TypeScript that compiles cells. */
export function versions(): { tslab: string; typescript: string } {
  return { tslab: require("tslab/package.json").version, typescript: typescript.version };
}

/** Compiles cells of the notebook in the current folder; takes about a second. */
export function createConverter(setup: ConverterSetup): Converter {
  const compiled: InstrumentResult[] = [];
  hookCompiler(setup, (result) => compiled.push(result));
  const { createConverter: create } = require(join(tslabRoot, "dist/converter.js")) as {
    createConverter(options: { isJS: boolean; isBrowser: boolean }): TslabConverter;
  };
  const { printQuickInfo } = require(join(tslabRoot, "dist/inspect.js")) as {
    printQuickInfo(info: TS.QuickInfo): string;
  };
  const tslab = create({ isJS: false, isBrowser: false });
  return {
    convert(previous, source) {
      compiled.length = 0;
      let used = mentioned(previous, source);
      let out = tslab.convert(print(used), source);
      if (out.diagnostics.length > 0 && used.length < previous.length) {
        // With all names, so that the message can suggest one.
        used = [...previous];
        out = tslab.convert(print(used), source);
      }
      const own = compiled.at(-1);
      const imports = [...new Set(compiled.flatMap((result) => result.imports))];
      const modules = (out.sideOutputs ?? []).map(({ path, data }) => ({ path, code: data }));
      return {
        code: out.output ?? "",
        lines: own?.lines ?? SourceLines.none,
        imports,
        modules,
        diagnostics: out.diagnostics,
        declarations: out.declOutput === undefined ? previous : carry(typescript, previous, used, out.declOutput),
        resultName: out.lastExpressionVar,
      };
    },
    complete: (previous, source, cursor) => tslab.complete(print(previous), source, cursor),
    inspect(previous, source, cursor) {
      const used = print(mentioned(previous, source));
      const info = tslab.inspect(used, source, cursor) ?? tslab.inspect(used, source, Math.max(0, cursor - 1));
      return info === undefined ? undefined : printQuickInfo(info);
    },
    close: () => tslab.close(),
  };
}

/** Puts a changed copy of TypeScript in place of the one that tslab's converter loads. */
function hookCompiler(setup: ConverterSetup, onCompiled: (result: InstrumentResult) => void): void {
  const path = tslabRequire.resolve("@tslab/typescript-for-tslab");
  const module = require.cache[path];
  if (module === undefined) throw new Error("tslab's TypeScript is not in the module cache");
  const ts = typescript;
  module.exports = Object.assign({}, ts, {
    createWatchCompilerHost(
      roots: string[],
      options: TS.CompilerOptions,
      system: TS.System,
      _builder: unknown,
      ...reporters: unknown[]
    ) {
      const cwd = system.getCurrentDirectory().replace(/\\/g, "/");
      const globalsPath = `${cwd}/${GLOBALS_FILE}`;
      const host = (
        ts.createWatchCompilerHost as (
          ...args: unknown[]
        ) => TS.WatchCompilerHostOfFilesAndCompilerOptions<TS.BuilderProgram>
      )(
        [...roots, globalsPath],
        cellOptions(ts, options),
        withFile(system, globalsPath, setup.globals),
        ts.createAbstractBuilder,
        ...reporters,
      );
      const { createProgram } = host;
      host.createProgram = (...args) =>
        spellOutShorthands(ts, answerDependencies(bindCells(ts, createProgram(...args))));
      if (setup.fallbackRoot !== undefined) resolveFrom(ts, host, setup.fallbackRoot);
      return host;
    },
    transpileModule(code: string, options: TS.TranspileOptions): TS.TranspileOutput {
      const map = INLINE_MAP.exec(code);
      const result = instrument(ts, map === null ? code : code.slice(0, map.index), options, map?.[1]);
      onCompiled(result);
      return { outputText: result.code };
    },
  });
}

function cellOptions(ts: TypeScript, options: TS.CompilerOptions): TS.CompilerOptions {
  const { Bundler } = ts.ModuleResolutionKind;
  const lib = ["lib.es2023.d.ts"];
  return { ...options, strict: true, moduleResolution: Bundler, lib, inlineSourceMap: true };
}

function withFile(system: TS.System, path: string, text: string): TS.System {
  const { readFile, fileExists, watchFile } = system;
  return Object.assign(system, {
    readFile: (name: string, encoding?: string) => (name === path ? text : readFile.call(system, name, encoding)),
    fileExists: (name: string) => name === path || fileExists.call(system, name),
    watchFile: (name: string, ...rest: [TS.FileWatcherCallback, number?, TS.WatchOptions?]) =>
      name === path || watchFile === undefined ? { close: () => {} } : watchFile.call(system, name, ...rest),
  });
}

/** Modules that the notebook's folder does not have are looked for from `root`. */
function resolveFrom(
  ts: TypeScript,
  host: TS.WatchCompilerHostOfFilesAndCompilerOptions<TS.BuilderProgram>,
  root: string,
): void {
  const fallback = join(root, "__cell__.ts").replace(/\\/g, "/");
  const cache = ts.createModuleResolutionCache(root, (name) => name);
  // Otherwise every cell would resolve the imports of every library anew.
  host.hasInvalidatedResolutions = (path) => CELL_FILES.test(path);
  host.resolveModuleNameLiterals = (literals, from, redirected, options) =>
    literals.map(({ text }) => {
      const found = ts.resolveModuleName(text, from, options, host, undefined, redirected);
      if (found.resolvedModule !== undefined || text.startsWith(".")) return found;
      return ts.resolveModuleName(text, fallback, options, host, cache);
    });
}
