/** Imports of cells: real `import()` from the notebook's folder, so that `exports` maps and ES modules work as in Node. */
import Module, { createRequire } from "node:module";
import { dirname, extname, isAbsolute, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { constants, Script } from "node:vm";
import { RUNTIME } from "./instrument.js";

type Importer = (specifier: string) => Promise<Record<string, unknown>>;
type Require = (id: string) => unknown;

/** `import()` as seen from a file in `folder`. */
function importerFrom(folder: string): Importer {
  const script = new Script("(specifier) => import(specifier)", {
    filename: join(folder, "__cell__.js"),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  return script.runInThisContext() as Importer;
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
  readonly #folder: string;
  readonly #import: Importer;
  readonly #fallback: Importer | undefined;
  readonly #nodeRequire: NodeJS.Require;
  readonly #loaded = new Map<string, object>();
  readonly #local = new Map<string, string>();
  readonly #localExports = new Map<string, Module>();
  readonly #runtime: object;

  /**
   * @param folder the notebook's folder
   * @param fallbackRoot where packages are looked for that the folder does not have
   * @param runtime what instrumented code calls
   */
  constructor(folder: string, fallbackRoot: string | undefined, runtime: object) {
    this.#folder = folder;
    this.#import = importerFrom(folder);
    this.#fallback = fallbackRoot === undefined ? undefined : importerFrom(fallbackRoot);
    this.#nodeRequire = createRequire(join(folder, "__cell__.js"));
    this.#runtime = runtime;
  }

  /** Takes compiled local modules; those that changed are loaded anew at their next import. */
  update(modules: readonly { path: string; code: string }[]): void {
    for (const { path, code } of modules) {
      this.#local.set(path, code);
      this.#localExports.delete(path);
    }
  }

  /** Loads what the next cell imports. @throws what Node's `import` throws */
  async preload(specifiers: readonly string[]): Promise<void> {
    for (const specifier of specifiers) {
      if (this.#loaded.has(specifier) || this.#localPath(this.#folder, specifier) !== undefined) continue;
      this.#loaded.set(specifier, asCommonJs(await this.load(specifier)));
    }
  }

  /** A dynamic `import()` of a cell. */
  async load(specifier: string): Promise<Record<string, unknown>> {
    const local = this.#localPath(this.#folder, specifier);
    if (local !== undefined) return this.#loadLocal(local) as Record<string, unknown>;
    const relative = specifier.startsWith(".") || isAbsolute(specifier);
    const target = relative ? pathToFileURL(resolve(this.#folder, specifier)).href : specifier;
    try {
      return await this.#import(target);
    } catch (error) {
      if (relative || this.#fallback === undefined || !isNotFound(error, specifier)) throw error;
      return await this.#fallback(target);
    }
  }

  /** The `require` of cells. */
  readonly require: Require = (id) => this.#requireFrom(this.#folder, this.#nodeRequire, id);

  #requireFrom(folder: string, nodeRequire: Require, id: string): unknown {
    const local = this.#localPath(folder, id);
    if (local !== undefined) return this.#loadLocal(local);
    return this.#loaded.get(id) ?? nodeRequire(id);
  }

  #localPath(folder: string, id: string): string | undefined {
    if (!id.startsWith(".")) return undefined;
    const path = join(folder, id).replace(/\\/g, "/");
    const base = path.replace(/\.[mc]?tsx?$|\.js$/, "");
    return [path, `${base}.js`, `${base}/index.js`].find((name) => this.#local.has(name));
  }

  #loadLocal(path: string): unknown {
    const known = this.#localExports.get(path);
    if (known !== undefined) return known.exports;
    const module = new Module(path);
    module.filename = path;
    this.#localExports.set(path, module);
    const code = `(function (exports, require, module, __filename, __dirname, ${RUNTIME}) { ${this.#local.get(path)}\n})`;
    const folder = dirname(path);
    const nodeRequire = createRequire(path);
    const require = (id: string) => this.#requireFrom(folder, nodeRequire, id);
    const run = new Script(code, { filename: path }).runInThisContext();
    run(module.exports, require, module, path, folder, this.#runtime);
    return module.exports;
  }
}

function isNotFound(error: unknown, specifier: string): boolean {
  if (!(error instanceof Error) || extname(specifier) === ".node") return false;
  const { code } = error as NodeJS.ErrnoException;
  const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
  return code === "ERR_MODULE_NOT_FOUND" && error.message.includes(`'${name}'`);
}
