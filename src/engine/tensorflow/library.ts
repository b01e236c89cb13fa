/** Finding TensorFlow's C library on this machine. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, isAbsolute, join, resolve } from "node:path";
import { TensorflowError } from "./errors.js";

/** Where a library was found. */
export interface FoundLibrary {
  file: string;
  /** the rule that found it, such as `ATMOREP_TENSORFLOW` */
  source: string;
}

export interface SearchOptions {
  /** file or folder named by the user; nothing else is tried when it is given */
  asked?: { path: string; source: string };
  /** folder that `engine install` fills; the libraries lie in its folder `tensorflow` */
  installed?: string;
  env?: Readonly<Record<string, string | undefined>>;
  platform?: string;
  arch?: string;
  /** folder in which environments such as `.venv` are looked for */
  cwd?: string;
}

/** What a search looked at. */
export interface Search {
  found: FoundLibrary | null;
  /** every path that was tried */
  tried: string[];
  /** why this machine cannot have a library; null if it can */
  unsupported: string | null;
}

const SYSTEM_FOLDERS = ["/usr/local/lib", "/usr/lib", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"];

/** Names of the library, the one of Python's wheels first. */
export function libraryNames(platform: string = process.platform): string[] {
  return platform === "darwin"
    ? ["libtensorflow_cc.2.dylib", "libtensorflow.2.dylib", "libtensorflow.dylib"]
    : ["libtensorflow_cc.so.2", "libtensorflow.so.2", "libtensorflow.so"];
}

/** Why a system is not supported, or null: Linux on x64 and arm64 and macOS on arm64 are. */
export function unsupportedSystem(platform: string = process.platform, arch: string = process.arch): string | null {
  const known = { linux: ["x64", "arm64"], darwin: ["arm64"] } as Record<string, string[]>;
  if (known[platform]?.includes(arch)) return null;
  return `TensorFlow's C library is used on Linux (x64, arm64) and macOS (arm64), not on ${platform} ${arch}`;
}

/**
 * Looks in this order: the path the user named, the folder of `engine install`, Python environments
 * (`VIRTUAL_ENV`, `CONDA_PREFIX`, `.venv`, `venv`), tfjs-node's own folder, the system.
 */
export function searchLibrary(options: SearchOptions = {}): Search {
  const { asked, installed, env = process.env, platform = process.platform, cwd = process.cwd() } = options;
  const unsupported = unsupportedSystem(platform, options.arch);
  const tried: string[] = [];
  if (unsupported) return { found: null, tried, unsupported };
  const places: { path: string; source: string }[] = asked
    ? [{ path: isAbsolute(asked.path) ? asked.path : resolve(cwd, asked.path), source: asked.source }]
    : [
        ...(installed ? [{ path: join(installed, "tensorflow"), source: "engine install" }] : []),
        ...pythonFolders(env, cwd).map((path) => ({ path, source: "Python environment" })),
        ...tfjsNodeFolders().map((path) => ({ path, source: "tfjs-node" })),
        ...systemFolders(env, platform).map((path) => ({ path, source: "system" })),
      ];
  for (const { path, source } of places) {
    for (const file of candidates(path, platform)) {
      tried.push(file);
      if (existsSync(file)) return { found: { file, source }, tried, unsupported };
    }
  }
  return { found: null, tried, unsupported };
}

/**
 * The library `searchLibrary` finds.
 * @throws TensorflowError `NOT_LOADED` with every path that was tried
 */
export function findLibrary(options: SearchOptions = {}): FoundLibrary {
  const { found, tried, unsupported } = searchLibrary(options);
  if (found) return found;
  const looked = `it was not found; looked at:\n  ${tried.join("\n  ")}`;
  throw new TensorflowError("NOT_LOADED", "TensorFlow's C library", unsupported ?? looked);
}

function candidates(path: string, platform: string): string[] {
  const isFile = existsSync(path) && statSync(path).isFile();
  return isFile ? [path] : libraryNames(platform).map((name) => join(path, name));
}

function pythonFolders(env: Readonly<Record<string, string | undefined>>, cwd: string): string[] {
  const roots = [env.VIRTUAL_ENV, env.CONDA_PREFIX, join(cwd, ".venv"), join(cwd, "venv")];
  return roots.flatMap((root) => {
    const lib = root ? join(root, "lib") : "";
    if (!lib || !existsSync(lib)) return [];
    const pythons = readdirSync(lib).filter((name) => name.startsWith("python"));
    return pythons.map((name) => join(lib, name, "site-packages", "tensorflow"));
  });
}

function tfjsNodeFolders(): string[] {
  const require = createRequire(import.meta.url);
  return ["@tensorflow/tfjs-node-gpu", "@tensorflow/tfjs-node"].flatMap((name) => {
    try {
      return [join(require.resolve(`${name}/package.json`), "..", "deps", "lib")];
    } catch {
      return [];
    }
  });
}

function systemFolders(env: Readonly<Record<string, string | undefined>>, platform: string): string[] {
  const path = platform === "darwin" ? env.DYLD_LIBRARY_PATH : env.LD_LIBRARY_PATH;
  const folders = (path ?? "").split(delimiter).filter((folder) => folder !== "");
  return [...folders, ...SYSTEM_FOLDERS, ...(platform === "darwin" ? ["/opt/homebrew/lib"] : [])];
}
