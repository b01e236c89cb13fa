/**
 * TypeScript's language service on a cell, by its public interface: what completes and what explains. The files of
 * libraries are those that the compiler of cells has read.
 */
import { statSync } from "node:fs";
import type * as TS from "typescript";

export interface CellServiceSetup {
  /** as they are now: a notebook's tsconfig.json may change */
  options(): TS.CompilerOptions;
  /** files, folders and the resolution of modules, as the compiler of cells sees them */
  host: TS.WatchCompilerHostOfFilesAndCompilerOptions<TS.BuilderProgram>;
  /** files beside the cell's that belong to every program, in memory or not */
  roots: readonly string[];
  /** whether a file stays as it is for the kernel's life */
  isLibrary(path: string): boolean;
  /** the file in the compiler's latest program */
  compiled(path: string): TS.SourceFile | undefined;
}

/** Before a cell and before the declarations of others, so that both are modules. */
const PREFIX = "export {};\n";
/** Version of a library's file that the compiler of cells has not read. */
const OWN = "own";

export class CellService {
  readonly #ts: typeof TS;
  readonly #setup: CellServiceSetup;
  readonly service: TS.LanguageService;
  readonly #cell: string;
  readonly #earlier: string;
  readonly #texts = new Map<string, { text: string; version: number }>();
  readonly #libraries = new Map<string, TS.SourceFile>();

  constructor(ts: typeof TS, setup: CellServiceSetup) {
    this.#ts = ts;
    this.#setup = setup;
    const folder = setup.host.getCurrentDirectory().replace(/\\/g, "/");
    this.#cell = `${folder}/__tslab__.ts`;
    this.#earlier = `${folder}/__prev__.d.ts`;
    this.#write(this.#cell, "");
    this.#write(this.#earlier, "");
    this.service = ts.createLanguageService(this.#host(), this.#documents());
  }

  /**
   * Looks at a cell.
   * @param earlier declarations of the cells before it
   */
  open(earlier: string, source: string): OpenCell {
    this.#write(this.#cell, source);
    this.#write(this.#earlier, earlier);
    const program = this.service.getProgram();
    const file = program?.getSourceFile(this.#cell);
    if (program === undefined || file === undefined) throw new Error("TypeScript has no program");
    // Names of earlier cells are found as those of an outer scope, as in tslab's own program.
    Object.assign(file, { parent: program.getSourceFile(this.#earlier) });
    return { service: this.service, program, file, path: this.#cell, offset: PREFIX.length };
  }

  /** Files of the latest program. */
  files(): readonly TS.SourceFile[] {
    return [...this.#libraries.values()];
  }

  #write(path: string, source: string): void {
    const text = PREFIX + source;
    const former = this.#texts.get(path);
    if (former?.text !== text) this.#texts.set(path, { text, version: (former?.version ?? 0) + 1 });
  }

  /** The compiler's file, where it has one, so that none is held twice. */
  #library(path: string): TS.SourceFile | undefined {
    const compiled = this.#setup.compiled(path);
    const file = unredirected(compiled) ?? this.#libraries.get(path);
    if (file !== undefined) this.#libraries.set(path, file);
    return file;
  }

  #versionOf(path: string): string {
    const own = this.#texts.get(path);
    if (own !== undefined) return String(own.version);
    if (this.#setup.isLibrary(path)) return versionOf(this.#library(path)) ?? OWN;
    const found = statSync(path, { throwIfNoEntry: false });
    return found === undefined ? "" : `${found.mtimeMs} ${found.size}`;
  }

  #host(): TS.LanguageServiceHost {
    const { host, roots } = this.#setup;
    const read = (path: string) => this.#texts.get(path)?.text ?? host.readFile(path);
    return {
      getCompilationSettings: () => this.#setup.options(),
      getScriptFileNames: () => [this.#earlier, this.#cell, ...roots],
      getScriptVersion: (path) => this.#versionOf(path),
      getScriptSnapshot: (path) => {
        const text = this.#setup.isLibrary(path) ? this.#library(path)?.text : undefined;
        const found = text ?? read(path);
        return found === undefined ? undefined : this.#ts.ScriptSnapshot.fromString(found);
      },
      getCurrentDirectory: () => host.getCurrentDirectory(),
      getDefaultLibFileName: (given) => host.getDefaultLibFileName(given),
      useCaseSensitiveFileNames: () => host.useCaseSensitiveFileNames(),
      readFile: read,
      fileExists: (path) => this.#texts.has(path) || host.fileExists(path),
      directoryExists: (path) => host.directoryExists?.(path) ?? true,
      getDirectories: (path) => host.getDirectories?.(path) ?? [],
      readDirectory: (...args) => host.readDirectory?.(...args) ?? [],
      realpath: (path) => host.realpath?.(path) ?? path,
      resolveModuleNameLiterals: host.resolveModuleNameLiterals?.bind(host),
    };
  }

  #documents(): TS.DocumentRegistry {
    const { isLibrary } = this.#setup;
    const own = this.#ts.createDocumentRegistry();
    type Acquire = TS.DocumentRegistry["acquireDocumentWithKey"];
    const library: Acquire = (name, _path, _settings, _key, snapshot, version, kind, options = this.#target) => {
      const file =
        this.#library(name) ?? this.#ts.createLanguageServiceSourceFile(name, snapshot, options, version, false, kind);
      this.#libraries.set(name, file);
      return file;
    };
    return {
      ...own,
      acquireDocumentWithKey: (...args) => (isLibrary(args[0]) ? library : own.acquireDocumentWithKey)(...args),
      updateDocumentWithKey: (...args) => (isLibrary(args[0]) ? library : own.updateDocumentWithKey)(...args),
      releaseDocumentWithKey: (path: TS.Path, ...rest: unknown[]) => {
        if (!isLibrary(path)) own.releaseDocumentWithKey(path, ...(rest as [never, never, never]));
      },
    };
  }

  get #target(): TS.ScriptTarget {
    return this.#setup.options().target ?? this.#ts.ScriptTarget.Latest;
  }
}

/** A cell as the language service sees it; positions in it are those of the cell and `offset`. */
export interface OpenCell {
  service: TS.LanguageService;
  program: TS.Program;
  file: TS.SourceFile;
  path: string;
  offset: number;
}

/** What TypeScript keeps in a source file beside its public properties. */
interface Kept {
  version?: string;
  /** of a package that is there twice, in the same version */
  redirectInfo?: { unredirected: TS.SourceFile };
}

const versionOf = (file: TS.SourceFile | undefined) => (file as Kept | undefined)?.version;
const unredirected = (file: TS.SourceFile | undefined) =>
  (file as Kept | undefined)?.redirectInfo?.unredirected ?? file;
