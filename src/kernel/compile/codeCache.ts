/**
 * Loads a large CommonJS file with the code that V8 compiled for it in an earlier process. Node's own compile cache
 * comes with Node 22.
 */
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import Module, { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { Script } from "node:vm";

type Wrapped = (exports: object, require: NodeJS.Require, module: Module, file: string, folder: string) => void;

export interface Loaded {
  exports: unknown;
  /** Keeps the code compiled so far, unless it came from the cache. Does nothing where `folder` cannot be written. */
  save(): void;
}

/**
 * @param path absolute; later `require` calls get the same module
 * @param folder where compiled code is kept
 * @param version of what the file is of
 */
export function loadCached(path: string, folder: string, version: string): Loaded {
  const { size, mtimeMs } = statSync(path);
  // V8 itself looks at its version, its flags and the length of the source.
  const name = `${basename(path)}-${version}-${size}-${Math.round(mtimeMs)}-${process.version}-${process.arch}.bin`;
  const file = join(folder, name);
  const cachedData = readIfThere(file);
  const script = new Script(Module.wrap(readFileSync(path, "utf8")), { filename: path, cachedData });
  const module = new Module(path);
  module.filename = path;
  const require = createRequire(path);
  require.cache[path] = module;
  (script.runInThisContext() as Wrapped).call(module.exports, module.exports, require, module, path, dirname(path));
  module.loaded = true;
  let saved = cachedData !== undefined && script.cachedDataRejected === false;
  const save = () => {
    if (saved) return;
    saved = true;
    const aside = `${file}.${process.pid}`;
    try {
      mkdirSync(folder, { recursive: true });
      writeFileSync(aside, script.createCachedData());
      renameSync(aside, file);
    } catch {
      // a checkout that is not the user's own: the next start takes a little longer
    }
  };
  return { exports: module.exports, save };
}

function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}
