/** The package that reads Icechunk repositories, looked for when one is opened: it is not installed with this one. */
import { createRequire } from "node:module";
import { resolve, sep } from "node:path";
import { AtmorepError } from "../../../errors.js";

const NAME = "@earthmover/icechunk";
const VERSION = "2.2.2";

/** What is used of the package. */
export interface IcechunkPackage {
  Storage: {
    newCustom(backend: object): IcechunkStorage;
    newS3(bucket: string, prefix: string, credentials: object, options: object): IcechunkStorage;
  };
  Repository: { open(storage: IcechunkStorage): Promise<IcechunkRepository> };
}

export type IcechunkStorage = object;

export interface IcechunkRepository {
  readonlySession(version: { branch?: string; tag?: string; snapshotId?: string }): Promise<IcechunkSession>;
  listBranches(): Promise<string[]>;
  listTags(): Promise<string[]>;
}

export interface IcechunkSession {
  snapshotId: string;
  store: {
    get(key: string): Promise<Uint8Array | null>;
    getRange(key: string, range: object): Promise<Uint8Array | null>;
    listDir(prefix: string): Promise<string[]>;
  };
}

let loaded: IcechunkPackage | null = null;

/**
 * From beside this package, or from the folder that `ATMOREP_ICECHUNK` names, in which it was installed.
 * @throws AtmorepError (input) that says how to install it
 */
export function loadIcechunk(where: string): IcechunkPackage {
  loaded ??= load(where);
  return loaded;
}

function load(where: string): IcechunkPackage {
  const folder = process.env.ATMOREP_ICECHUNK;
  const require = createRequire(folder ? resolve(folder) + sep : import.meta.url);
  try {
    require.resolve(NAME);
  } catch (cause) {
    throw new AtmorepError("input", `an Icechunk repository, which the package ${NAME} reads; it is not installed`, {
      where,
      found: folder ? `not below ATMOREP_ICECHUNK, ${folder}` : undefined,
      fix: `npm install --no-save ${NAME}@${VERSION} (Apache-2.0), beside this package, or elsewhere with ATMOREP_ICECHUNK=FOLDER`,
      cause,
    });
  }
  const unmute = muteWasiWarning();
  try {
    return require(NAME) as IcechunkPackage;
  } catch (cause) {
    const reasons = reasonsOf(cause);
    throw new AtmorepError("input", `the package ${NAME} cannot be loaded`, {
      where,
      found: reasons.find((reason) => /GLIBC|isoc23|undefined symbol/.test(reason)) ?? reasons[0],
      expected: "its binary for this system (Linux with glibc 2.38, macOS on ARM, Windows), or its WebAssembly build",
      fix: `npm install --no-save --force ${NAME}@${VERSION} ${NAME}-wasm32-wasi@${VERSION} installs the latter, which runs everywhere`,
      cause,
    });
  } finally {
    unmute();
  }
}

/** The message of an error and of those that it came from. */
function reasonsOf(error: unknown): string[] {
  const reasons: string[] = [];
  for (let at = error; at instanceof Error && reasons.length < 20; at = at.cause) {
    reasons.push(at.message.split("\n")[0]);
  }
  return reasons;
}

/**
 * Node calls WASI experimental whenever a thread of the WebAssembly build starts, which they do throughout a run: they
 * take their options from `process.execArgv`. What this thread says is left out while the package loads.
 */
function muteWasiWarning(): () => void {
  const quiet = "--disable-warning=ExperimentalWarning";
  if (!process.execArgv.includes(quiet)) process.execArgv.push(quiet);
  const { emitWarning } = process;
  process.emitWarning = ((warning: string | Error, ...rest: unknown[]) => {
    if (!String(warning).includes("WASI")) (emitWarning as (...all: unknown[]) => void)(warning, ...rest);
  }) as typeof emitWarning;
  return () => {
    process.emitWarning = emitWarning;
  };
}
