/** Finding llvmlite's library: LLVM as Python's Numba uses it, one file that compiles functions in memory. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** Where the library was found. */
export interface FoundLlvm {
  file: string;
  /** the rule that found it */
  source: string;
}

export interface LlvmSearchOptions {
  /** file or folder named by the user; nothing else is tried when it is given */
  asked?: { path: string; source: string };
  /** folder that `engine install` fills; the library lies in its folder `llvmlite` */
  installed?: string;
  env?: Readonly<Record<string, string | undefined>>;
  platform?: string;
  /** folder in which environments such as `.venv` are looked for */
  cwd?: string;
}

/** Name of the library. */
export const llvmLibraryName = (platform: string = process.platform): string =>
  platform === "darwin" ? "libllvmlite.dylib" : "libllvmlite.so";

/** The library, or null: the path the user named, the folder of `engine install`, Python environments with version 0.50. */
export function findLlvm(options: LlvmSearchOptions = {}): FoundLlvm | null {
  const { asked, installed, env = process.env, platform = process.platform, cwd = process.cwd() } = options;
  const places = asked
    ? [asked]
    : [
        ...(installed ? [{ path: join(installed, "llvmlite"), source: "engine install" }] : []),
        ...pythonFolders(env, cwd).map((path) => ({ path, source: "Python environment" })),
      ];
  for (const { path, source } of places) {
    const isFile = existsSync(path) && statSync(path).isFile();
    const file = isFile ? path : join(path, llvmLibraryName(platform));
    if (existsSync(file)) return { file, source };
  }
  return null;
}

/** Its functions take other parameters in other versions. */
const VERSION = /^llvmlite-0\.50\.\d+\.dist-info$/;

/** Folders of the library in Python environments that have it in a version known here. */
function pythonFolders(env: Readonly<Record<string, string | undefined>>, cwd: string): string[] {
  const roots = [env.VIRTUAL_ENV, env.CONDA_PREFIX, join(cwd, ".venv"), join(cwd, "venv")];
  return roots.flatMap((root) => {
    const lib = root ? join(root, "lib") : "";
    if (!lib || !existsSync(lib)) return [];
    const pythons = readdirSync(lib).filter((name) => name.startsWith("python"));
    const packages = pythons.map((name) => join(lib, name, "site-packages")).filter((folder) => existsSync(folder));
    return packages
      .filter((folder) => readdirSync(folder).some((name) => VERSION.test(name)))
      .map((folder) => join(folder, "llvmlite", "binding"));
  });
}
