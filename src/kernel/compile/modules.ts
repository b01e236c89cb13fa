/** Imports of cells: real `import()` from the notebook's folder, so that `exports` maps and ES modules work as in Node. */
import { readFileSync } from "node:fs";
import Module, { createRequire } from "node:module";
import { dirname, extname, isAbsolute, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { constants, Script } from "node:vm";
import { REQUIRE, RUNTIME } from "./instrument.js";

type Importer = (specifier: string, options?: ImportCallOptions) => Promise<Record<string, unknown>>;
type Require = (id: string) => unknown;

/** What Node says of JSON that was not called JSON; the second name is that of Node 20. */
const WANTS_TYPE = new Set(["ERR_IMPORT_ATTRIBUTE_MISSING", "ERR_IMPORT_ASSERTION_TYPE_MISSING"]);

/** `import()` as seen from a file in `folder`. */
function importerFrom(folder: string): Importer {
  const script = new Script("(specifier, options) => import(specifier, options)", {
    filename: join(folder, "__cell__.js"),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  const plain = script.runInThisContext() as Importer;
  return async (specifier, options) => {
    try {
      return await plain(specifier, options);
    } catch (error) {
      // TypeScript knows what is JSON by itself, and the last step drops what static imports say of it.
      if (!WANTS_TYPE.has((error as NodeJS.ErrnoException | undefined)?.code ?? "")) throw error;
      return await plain(specifier, { with: { type: "json" } });
    }
  };
}

/** What compiled code, which expects CommonJS, gets for an ES module's namespace. */
function asCommonJs(namespace: Record<string, unknown>): object {
  const inner = namespace.default as Record<string, unknown> | undefined;
  return new Proxy(namespace, {
    // A plain target: a namespace's own properties may not be answered differently.
    get(_target, key) {
      if (key === "__esModule") return true;
      if (key in namespace) return Reflect.get(namespace, key);
      // Names of a CommonJS module that Node did not find by reading it.
      return inner !== null && (typeof inner === "object" || typeof inner === "function")
        ? Reflect.get(inner, key)
        : undefined;
    },
  });
}

/** Modules that cells of one notebook use. */
export class CellModules {
  /** the notebook's */
  readonly folder: string;
  readonly #import: Importer;
  readonly #fallback: Importer | undefined;
  readonly #nodeRequire: NodeJS.Require;
  readonly #loaded = new Map<string, object>();
  readonly #local = new Map<string, string>();
  readonly #localExports = new Map<string, Module>();
  /** local modules that are at work for the first time */
  readonly #loading = new Set<string>();
  /** by local module or file of data, the local modules that import it */
  readonly #users = new Map<string, Set<string>>();
  readonly #runtime: object;

  /**
   * @param folder the notebook's folder
   * @param fallbackRoot where packages are looked for that the folder does not have
   * @param runtime what instrumented code calls
   */
  constructor(folder: string, fallbackRoot: string | undefined, runtime: object) {
    this.folder = folder;
    this.#import = importerFrom(folder);
    this.#fallback = fallbackRoot === undefined ? undefined : importerFrom(fallbackRoot);
    this.#nodeRequire = createRequire(join(folder, "__cell__.js"));
    this.#runtime = runtime;
  }

  /**
   * Takes compiled local modules. Those that changed are loaded anew at their next import, and so is whatever imports
   * them, however far away.
   * @param changed files that changed, such as data that modules import
   */
  update(modules: readonly { path: string; code: string }[], changed: readonly string[] = []): void {
    for (const { path, code } of modules) this.#local.set(path, code);
    const stale = [
      ...modules.map(({ path }) => path),
      ...changed.map((path) => this.#localPath("/", path, true) ?? path),
    ];
    for (let path = stale.pop(); path !== undefined; path = stale.pop()) {
      this.#localExports.delete(path);
      const users = this.#users.get(path);
      this.#users.delete(path);
      stale.push(...(users ?? []));
    }
  }

  /** Loads what the next cell imports. @throws what Node's `import` throws */
  async preload(specifiers: readonly string[]): Promise<void> {
    for (const specifier of specifiers) {
      if (this.#loaded.has(specifier) || this.#localPath(this.folder, specifier) !== undefined) continue;
      if (isData(specifier)) continue;
      this.#loaded.set(specifier, asCommonJs(await this.load(specifier)));
    }
  }

  /** A dynamic `import()` of a cell. */
  async load(specifier: string, options?: ImportCallOptions): Promise<Record<string, unknown>> {
    const local = this.#localPath(this.folder, specifier);
    if (local !== undefined) return this.#loadLocal(local) as Record<string, unknown>;
    if (isData(specifier)) return { default: readData(this.folder, specifier) };
    const relative = specifier.startsWith(".") || isAbsolute(specifier);
    // newer Node versions take some of them, and keep what they have read when the file changes
    if (relative && OTHER_ENDINGS.test(specifier)) throw unknownEnding(specifier);
    const target = relative ? pathToFileURL(resolve(this.folder, specifier)).href : specifier;
    try {
      return await this.#import(target, options);
    } catch (error) {
      if ((error as NodeJS.ErrnoException | undefined)?.code === "ERR_UNKNOWN_FILE_EXTENSION")
        throw unknownEnding(specifier);
      if (relative || this.#fallback === undefined || !isNotFound(error, specifier)) throw error;
      return await this.#fallback(target, options);
    }
  }

  /** The `require` of cells. */
  readonly require: Require = (id) => this.#requireFrom(this.folder, this.#nodeRequire, id);

  /** @param user the module that asks; none for a cell */
  #requireFrom(folder: string, nodeRequire: Require, id: string, user?: string): unknown {
    const local = this.#localPath(folder, id);
    const used = local ?? (isData(id) ? join(folder, id).replace(/\\/g, "/") : undefined);
    if (used !== undefined && user !== undefined) {
      this.#users.set(used, (this.#users.get(used) ?? new Set()).add(user));
    }
    if (local !== undefined) return this.#loadLocal(local);
    if (isData(id)) return readData(folder, id);
    return this.#loaded.get(id) ?? nodeRequire(id);
  }

  #localPath(folder: string, id: string, absolute = false): string | undefined {
    if (!absolute && !id.startsWith(".")) return undefined;
    const path = join(folder, id).replace(/\\/g, "/");
    const base = path.replace(/\.[mc]?tsx?$|\.js$/, "");
    return [path, `${base}.js`, `${base}/index.js`].find((name) => this.#local.has(name));
  }

  #loadLocal(path: string): unknown {
    const known = this.#localExports.get(path);
    if (known !== undefined) return this.#loading.has(path) ? unfinished(path, known.exports) : known.exports;
    const module = new Module(path);
    module.filename = path;
    this.#loading.add(path);
    this.#localExports.set(path, module);
    const code = `(function (exports, require, ${REQUIRE}, module, __filename, __dirname, ${RUNTIME}) { ${this.#local.get(path)}\n})`;
    const folder = dirname(path);
    const nodeRequire = createRequire(path);
    const require = (id: string) => this.#requireFrom(folder, nodeRequire, id, path);
    try {
      const run = compiled(code, path);
      run(module.exports, require, require, module, path, folder, this.#runtime);
    } catch (error) {
      // one that failed has no exports, and is loaded anew by the next import
      this.#localExports.delete(path);
      throw error;
    } finally {
      this.#loading.delete(path);
    }
    return module.exports;
  }
}

/** @throws SyntaxError that says what it is about where that is an `await` outside of all functions */
function compiled(code: string, path: string): (...args: unknown[]) => void {
  try {
    return new Script(code, { filename: path }).runInThisContext();
  } catch (error) {
    try {
      new Script(code.replace(/^\(function/, "(async function"));
    } catch {
      throw error;
    }
    throw new SyntaxError(
      `${path.replace(/\.js$/, ".ts")} awaits outside of all functions, which modules beside a notebook cannot. Put it into an ` +
        "async function, export that, and await the call in the cell.",
    );
  }
}

/**
 * What a module that is not done has exported, for one that imports it in a ring. As in any ES module a name without a
 * value is an error, not silently `undefined`.
 */
function unfinished(path: string, exports: object): object {
  return new Proxy(exports, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (value === undefined && typeof key === "string" && key !== "__esModule" && key in target) {
        throw new ReferenceError(
          `${key} of ${path.replace(/\.js$/, ".ts")} has no value yet: modules import each other in a ring, and this one is read ` +
            "before it is done. Move what both need into a third module.",
        );
      }
      return value;
    },
  });
}

const OTHER_ENDINGS = /\.([mc]ts|[jt]sx)$/;

const unknownEnding = (specifier: string): Error =>
  new Error(
    `${specifier}: modules beside a notebook end in .ts, .js, .mjs, .cjs or .json. Give the file one of these names.`,
  );

/** Data that TypeScript knows as a module. */
const isData = (specifier: string): boolean => specifier.startsWith(".") && specifier.endsWith(".json");

/** As it is now. */
function readData(folder: string, specifier: string): unknown {
  const path = join(folder, specifier);
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw Object.assign(error as Error, { message: `${path}: ${(error as Error).message}` });
  }
}

function isNotFound(error: unknown, specifier: string): boolean {
  if (!(error instanceof Error) || extname(specifier) === ".node") return false;
  const { code } = error as NodeJS.ErrnoException;
  const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
  return code === "ERR_MODULE_NOT_FOUND" && error.message.includes(`'${name}'`);
}
