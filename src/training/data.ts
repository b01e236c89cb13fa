/** The data of a run: opened so that all its processes read the same, and named so that later runs do. */
import { readConfigFile } from "../config/text/files.js";
import type { RunConfig } from "../config/types.js";
import { openData } from "../data/openData.js";
import { splitAddress, withVersion } from "../data/source/index.js";
import type { Store } from "../data/store.js";
import { ALONE } from "../distributed/index.js";
import { AtmorepError, type ErrorCode, isAtmorepError } from "../errors.js";
import type { Continuation } from "../runs/continue.js";
import { configPath } from "../runs/folder.js";
import type { TrainOptions } from "./options.js";

/**
 * The store of a run. Process 0 opens it first: what is computed on first use is computed once, and all others open the
 * version of it that process 0 has found.
 * @throws AtmorepError (input, config) as `openData`
 */
export async function openForAll(config: RunConfig, { folder, communicator = ALONE }: TrainOptions): Promise<Store> {
  const opened = communicator.rank === 0 ? await openData(config, folder).catch((error: unknown) => ({ error })) : null;
  const failed = opened !== null && "error" in opened ? opened : null;
  const own = opened !== null && !("error" in opened) ? opened : null;
  // All end together: who died alone would be waited for.
  const code: ErrorCode | null = failed && (isAtmorepError(failed.error) ? failed.error.code : "failed");
  try {
    const found = await communicator.broadcast({ location: own?.location ?? "", code });
    if (failed) throw failed.error;
    if (found.code) throw new AtmorepError(found.code, "process 0 could not open the data");
    return own ?? (await openData({ ...config, file_path: pinnedPath(config.file_path, found.location) }, folder));
  } catch (error) {
    await own?.close();
    throw error;
  }
}

/** A path as it was given, with the snapshot that the store's location names, if it is one of an Icechunk repository. */
export function pinnedPath(path: string, location: string): string {
  const { version } = splitAddress(location);
  return version?.kind === "snapshot" ? withVersion(path, version) : path;
}

/** What to say where a run goes on with another snapshot than the one it was trained on; null if it does not. */
export function otherSnapshot({ folder, runId }: Continuation, path: string): string | null {
  const before = readConfigFile(configPath(folder.resultsDir, runId)).values.file_path;
  if (typeof before !== "string" || before === path) return null;
  const [one, other] = [before, path].map((name) => splitAddress(name));
  const isPinned = [one, other].map(({ version }) => version?.kind === "snapshot");
  if (!isPinned.includes(true)) return null;
  // named from elsewhere
  if (one.version?.name === other.version?.name && one.group === other.group && !isPinned.includes(false)) return null;
  return `the run goes on with other data: ${before} before, ${path} now`;
}
