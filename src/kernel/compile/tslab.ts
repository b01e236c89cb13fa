/**
 * The one place that reaches into tslab: every deep import is here, and test/kernel/tslab.test.ts holds what is relied
 * on. tslab turns cells into JavaScript with declarations carried from cell to cell; here it gets the project's
 * TypeScript in place of its fork of an older one, with strict checks, `exports`-aware resolution, source maps, and a
 * pass that makes loops interruptible.
 */
import Module, { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import type * as TS from "typescript";
import { Assist } from "./assist.js";
import { type Carried, carry, mentioned, print } from "./carried.js";
import { Checks } from "./checks.js";
import type { Completion } from "./complete.js";
import { answerDependencies, bindCells, CELL_FILES } from "./dependencies.js";
import { LibraryDocs } from "./docComments.js";
import { withoutExports } from "./exported.js";
import { forkOf } from "./fork.js";
import type { Inspection } from "./inspectCell.js";
import { type Instrumented, instrument } from "./instrument.js";
import { namesOnly } from "./namesFirst.js";
import { asksForNoCheck, turnOffChecks } from "./noCheck.js";
import { spellOutShorthands } from "./shorthand.js";
import { SourceLines } from "./sourceLines.js";
import { typePackages } from "./typePackages.js";
import { loadTypeScript, saveTypeScript, type TypeScript } from "./typescript.js";
import { WatchedFiles } from "./watched.js";

export interface Diagnostic {
  /** zero-based, in the cell or in `fileName` */
  start: { line: number; character: number };
  messageText: string;
  fileName?: string;
}

export interface ConvertedCell extends Instrumented {
  diagnostics: Diagnostic[];
  /** declarations for the cells that follow */
  declarations: readonly Carried[];
  /** name of the export that holds the value of the last expression */
  resultName?: string;
  /** local modules that the cell imports and that are new or changed */
  modules: LocalModule[];
  /** local files that changed since the last cell, modules and data */
  changed: readonly string[];
}

/** A module of the notebook's own, compiled. */
export interface LocalModule {
  /** absolute, of its JavaScript, which is in memory only */
  path: string;
  code: string;
  /** from its JavaScript to what was typed */
  lines: SourceLines;
}

export interface Converter {
  convert(previous: readonly Carried[], source: string): ConvertedCell;
  /** @param cursor in UTF-16 units */
  complete(previous: readonly Carried[], source: string, cursor: number): Completion;
  /** Signature and documentation at the cursor, or undefined. */
  inspect(previous: readonly Carried[], source: string, cursor: number): Inspection | undefined;
  /** Does a part of what the first `complete` and `inspect` else do; false if nothing is left. */
  prepareAnswers(): boolean;
  /** Reads the documentation of one library, which else `inspect` does; false if none is left. */
  readDocs(): boolean;
  /** Keeps the compiler's compiled code for the next start, where there is a folder for it. */
  saveCode(): void;
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
  close(): void;
}

export interface ConverterSetup {
  /** declarations of the globals that every cell sees */
  globals: string;
  /** folder whose packages are used where the notebook's own folder has none */
  fallbackRoot?: string;
  /** folder in which compiled code of TypeScript is kept from start to start */
  cacheFolder?: string;
}

const require = createRequire(import.meta.url);
const tslabRoot = dirname(require.resolve("tslab/package.json"));
const tslabRequire = createRequire(join(tslabRoot, "package.json"));

/** Name of the globals' declaration file; it exists in memory only. */
const GLOBALS_FILE = "__kernel_globals__.d.ts";
/** Name by which tslab has the cell at hand. */
const CELL = "__tslab__.ts";
const CONFIG = "tsconfig.json";
const DECLARATIONS = /\.d\.[cm]?ts$/;
const INLINE_MAP = /\n?\/\/# sourceMappingURL=data:application\/json;base64,([A-Za-z0-9+/=]+)\s*$/;

/** Versions of tslab and of the TypeScript that compiles cells. */
export function versions(): { tslab: string; typescript: string } {
  return { tslab: require("tslab/package.json").version, typescript: loadTypeScript().version };
}

/** Compiles cells of the notebook in the current folder; takes about a second. */
export function createConverter(setup: ConverterSetup): Converter {
  const typescript = loadTypeScript(setup.cacheFolder);
  const compiled: Instrumented[] = [];
  const watched = new WatchedFiles();
  const checks = new Checks(typescript, process.cwd());
  // of the two in which tslab compiles a cell
  const pass = { isFirst: false };
  const hooked = hookCompiler(setup, typescript, watched, checks, pass, (result) => compiled.push(result));
  // what a completion or a cell that did not compile has seen first is told to the next one that compiles
  let changed: string[] = [];
  const look = () => {
    changed = [...new Set([...changed, ...watched.look(typescript.FileWatcherEventKind)])];
  };
  const taken = () => {
    const all = changed;
    changed = [];
    return all;
  };
  const converter = join(tslabRoot, "dist/converter.js");
  // it keeps the TypeScript that it finds when it is loaded
  delete require.cache[converter];
  const { createConverter: create } = require(converter) as {
    createConverter(options: { isJS: boolean; isBrowser: boolean }): TslabConverter;
  };
  const tslab = create({ isJS: false, isBrowser: false });
  const assist = hooked.assist();
  // binds the names of libraries, for which the first cell would wait
  hooked.program()?.getProgram().getTypeChecker();
  return {
    convert(previous, typed) {
      compiled.length = 0;
      look();
      checks.look();
      if (checks.faults.length > 0) return refused(checks.faults, previous);
      const source = withoutExports(typescript, typed);
      checks.off = asksForNoCheck(typescript, source);
      let used = mentioned(previous, source);
      const compile = () => {
        pass.isFirst = true;
        return tslab.convert(print(used, previous), source);
      };
      let out = compile();
      if (out.diagnostics.length > 0 && used.length < previous.length) {
        // With all names, so that the message can suggest one.
        used = [...previous];
        out = compile();
      }
      const own = compiled.at(-1);
      const imports = [...new Set(compiled.flatMap((result) => result.imports))];
      const modules = (out.sideOutputs ?? []).map(({ path, data }) => {
        const lines = compiled.find(({ code }) => code === data)?.lines.ofModule() ?? SourceLines.none;
        return { path, code: data, lines };
      });
      return {
        code: out.output ?? "",
        lines: own?.lines ?? SourceLines.none,
        imports,
        modules,
        changed: out.diagnostics.length > 0 ? [] : taken(),
        diagnostics: out.diagnostics,
        declarations: out.declOutput === undefined ? previous : carry(typescript, previous, used, out.declOutput),
        resultName: out.lastExpressionVar,
      };
    },
    complete(previous, source, cursor) {
      look();
      return assist.complete(print(previous, previous), source, cursor);
    },
    inspect(previous, source, cursor) {
      look();
      return assist.inspect(print(mentioned(previous, source), previous), source, cursor);
    },
    prepareAnswers: () => assist.warm(),
    readDocs: () => hooked.readDocs() || hooked.docs.addNext(assist.files()),
    saveCode: saveTypeScript,
    close() {
      assist.close();
      tslab.close();
    },
  };
}

/** No cell runs while `tsconfig.json` cannot be read. */
function refused(faults: readonly TS.Diagnostic[], declarations: readonly Carried[]): ConvertedCell {
  const diagnostics = faults.map(({ file, start, messageText }): Diagnostic => {
    const place = file !== undefined && start !== undefined ? file.getLineAndCharacterOfPosition(start) : undefined;
    const text = typeof messageText === "string" ? messageText : messageText.messageText;
    return {
      start: place ?? { line: 0, character: 0 },
      messageText: text,
      fileName: basename(file?.fileName ?? CONFIG),
    };
  });
  return { code: "", lines: SourceLines.none, imports: [], modules: [], changed: [], diagnostics, declarations };
}

/**
 * Puts a changed copy of our TypeScript where tslab's converter looks for its own, which is not loaded.
 * @returns the documentation of libraries, the latest program, and what completes and explains cells, once tslab's converter is made
 */
function hookCompiler(
  setup: ConverterSetup,
  ts: TypeScript,
  watched: WatchedFiles,
  checks: Checks,
  pass: { isFirst: boolean },
  onCompiled: (result: Instrumented) => void,
): {
  docs: LibraryDocs;
  readDocs(): boolean;
  program: () => TS.BuilderProgram | undefined;
  assist(): Assist;
} {
  const path = tslabRequire.resolve("@tslab/typescript-for-tslab");
  const module = new Module(path);
  require.cache[path] = module;
  const docs = new LibraryDocs(ts, ts.sys.readFile);
  const root = setup.fallbackRoot?.replace(/\\/g, "/");
  let latest: TS.BuilderProgram | undefined;
  let assist: Assist | undefined;
  module.exports = Object.assign({}, ts, forkOf(ts), {
    // of its own, for cells may use TypeScript too
    sys: Object.assign(Object.create(ts.sys), {
      // tslab sends its watchers there. A library that changes is seen after a restart.
      watchFile: (path: string, changed: TS.FileWatcherCallback) =>
        isLibrary(path, root) ? { close: () => {} } : watched.watch(path, changed),
      watchDirectory: () => ({ close: () => {} }),
    }),
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
        cellOptions(ts, cwd, options),
        withFile(withoutDocs(system, setup.fallbackRoot, docs), globalsPath, setup.globals),
        ts.createAbstractBuilder,
        ...reporters,
      );
      const { createProgram } = host;
      host.createProgram = (files, options, compilerHost, ...rest) => {
        const [last] = rest;
        const file = pass.isFirst ? compilerHost?.getSourceFile(`${cwd}/${CELL}`, ts.ScriptTarget.ESNext) : undefined;
        pass.isFirst = false;
        const names = file && last && namesOnly(ts, last, file);
        if (names !== undefined) return names;
        const program = createProgram(files, { ...options, ...checks.options }, compilerHost, ...rest);
        latest = spellOutShorthands(ts, answerDependencies(bindCells(ts, program)));
        const cell = checks.off ? latest.getSourceFile(`${cwd}/${CELL}`) : undefined;
        if (cell !== undefined) turnOffChecks(cell);
        return latest;
      };
      if (setup.fallbackRoot !== undefined) resolveFrom(ts, host, setup.fallbackRoot);
      assist = new Assist(ts, {
        ...{ host, docs, roots: [globalsPath], fallbackRoot: setup.fallbackRoot },
        options: () => ({ ...host.options, ...checks.options }),
        isLibrary: (path) => isLibrary(path, root),
        compiled: (path) => latest?.getSourceFile(path),
      });
      return host;
    },
    transpileModule(code: string, options: TS.TranspileOptions): TS.TranspileOutput {
      const map = INLINE_MAP.exec(code);
      const result = instrument(ts, map === null ? code : code.slice(0, map.index), options, map?.[1]);
      onCompiled(result);
      return { outputText: result.code };
    },
  });
  return {
    docs,
    program: () => latest,
    readDocs: () => docs.addNext(latest?.getSourceFiles() ?? []),
    assist() {
      if (assist === undefined) throw new Error("tslab has made no program");
      return assist;
    },
  };
}

function cellOptions(ts: TypeScript, folder: string, options: TS.CompilerOptions): TS.CompilerOptions {
  const { disableTopLevelAwait: _fork, noImplicitUseStrict: _gone, experimentalDecorators: _old, ...kept } = options;
  return {
    ...kept,
    // what a cell's Node lacks is written out by the last step, behind which tslab finds no last expression
    target: ts.ScriptTarget.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts"],
    inlineSourceMap: true,
    types: typePackages(folder, options.typeRoots ?? []),
    allowImportingTsExtensions: true,
  };
}

/** Whether cells may take the file at `path` for one that does not change: a package's or the checkout's declarations. */
function isLibrary(path: string, root: string | undefined): boolean {
  const isInside = path.includes("/node_modules/") || (root !== undefined && path.startsWith(`${root}/`));
  return isInside && DECLARATIONS.test(path) && !CELL_FILES.test(path);
}

function withoutDocs(system: TS.System, root: string | undefined, docs: LibraryDocs): TS.System {
  const { readFile } = system;
  const from = root?.replace(/\\/g, "/");
  return Object.assign(system, {
    readFile(name: string, encoding?: string) {
      const text = readFile.call(system, name, encoding);
      return text !== undefined && isLibrary(name, from) ? docs.textOf(name, text) : text;
    },
  });
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
  const from = root.replace(/\\/g, "/");
  const cache = ts.createModuleResolutionCache(root, (name) => name);
  // What the notebook's own files import may appear between two cells.
  const libraries = ts.createModuleResolutionCache(host.getCurrentDirectory(), (name) => name);
  // Otherwise every cell would resolve the imports of every library anew.
  host.hasInvalidatedResolutions = (path) => CELL_FILES.test(path) || !isLibrary(path, from);
  // Otherwise every cell would look for the package.json of every file.
  host.getModuleResolutionCache = () => libraries;
  host.resolveModuleNameLiterals = (literals, file, redirected, options) =>
    literals.map(({ text }) => {
      const known = isLibrary(file, from) ? libraries : undefined;
      const found = ts.resolveModuleName(text, file, options, host, known, redirected);
      if (found.resolvedModule !== undefined || text.startsWith(".")) return found;
      return ts.resolveModuleName(text, fallback, options, host, cache);
    });
}
