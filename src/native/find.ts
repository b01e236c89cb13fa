/** Finding a native library on this machine. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { INSTALL_FOLDER } from "./folder.js";

/** A library, and where it may lie. */
export interface LibraryKind {
  /** names of its file, such as `/^libblosc2\.so/` */
  file: RegExp;
  /** environment variable with a file or folder; nothing else is tried when it is set, and nothing at all for `none` */
  variable: string;
  /** its folder below the install folder */
  installed: string;
  /** its folder below the packages of a Python environment */
  python: string;
  /** where it lies below the folder that `engine install` fills or the variable names, if not in that itself */
  within?: string;
}

export interface FoundLibrary {
  path: string;
  /** the rule that found it, such as `engine install` */
  source: string;
}

export interface FindOptions {
  env?: Readonly<Record<string, string | undefined>>;
  /** folder in which environments such as `.venv` are looked for */
  cwd?: string;
  platform?: string;
  installFolder?: string;
}

/** What a search saw. */
export interface LibrarySearch {
  /** in the order in which they should be tried */
  found: FoundLibrary[];
  /** folders and files that were looked at */
  tried: string[];
  /** what the environment variable says */
  asked: string | null;
}

const SYSTEM_FOLDERS = [
  "/usr/local/lib",
  "/usr/lib64",
  "/usr/lib/x86_64-linux-gnu",
  "/usr/lib/aarch64-linux-gnu",
  "/usr/lib",
];

/** Looks at the path the user named, the folder of `engine install`, Python environments, the system. */
export function findLibraries(kind: LibraryKind, options: FindOptions = {}): LibrarySearch {
  const { env = process.env, cwd = process.cwd(), platform = process.platform } = options;
  const asked = env[kind.variable] || null;
  const places: FoundLibrary[] = asked
    ? asked === "none"
      ? []
      : [{ path: resolve(cwd, asked), source: kind.variable }]
    : [
        { path: join(options.installFolder ?? INSTALL_FOLDER, kind.installed), source: "engine install" },
        ...pythonFolders(env, cwd, kind).map((path) => ({ path, source: "Python environment" })),
        ...systemFolders(env, platform).map((path) => ({ path, source: "system" })),
      ];
  const found = places.flatMap(({ path, source }) => filesAt(path, kind).map((file) => ({ path: file, source })));
  return { found, tried: places.map(({ path }) => path), asked };
}

/** The path itself if it is a file, else the library's files in it; the name without a version first. */
function filesAt(path: string, { file: name, within }: LibraryKind): string[] {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  const folders = [path, ...(within ? [join(path, within)] : [])].filter((folder) => existsSync(folder));
  return folders.flatMap((folder) => {
    const names = readdirSync(folder).filter((file) => name.test(file));
    return names.sort((a, b) => a.length - b.length || a.localeCompare(b)).map((file) => join(folder, file));
  });
}

function pythonFolders(env: Readonly<Record<string, string | undefined>>, cwd: string, kind: LibraryKind): string[] {
  const roots = [env.VIRTUAL_ENV, env.CONDA_PREFIX, join(cwd, ".venv"), join(cwd, "venv")];
  return roots.flatMap((root) => {
    const lib = root ? join(root, "lib") : "";
    if (!lib || !existsSync(lib)) return [];
    const pythons = readdirSync(lib).filter((name) => name.startsWith("python"));
    return [...pythons.map((name) => join(lib, name, "site-packages", kind.python)), lib];
  });
}

function systemFolders(env: Readonly<Record<string, string | undefined>>, platform: string): string[] {
  const path = platform === "darwin" ? env.DYLD_LIBRARY_PATH : env.LD_LIBRARY_PATH;
  const folders = (path ?? "").split(delimiter).filter((folder) => folder !== "");
  return [...folders, ...SYSTEM_FOLDERS, ...(platform === "darwin" ? ["/opt/homebrew/lib"] : [])];
}
