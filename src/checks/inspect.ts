/** All faults of a configuration, with its store where it can be opened, and what could be drawn. */
import type { Fault } from "../config/faults.js";
import { type ResolvedConfig, resolveStorePath } from "../config/resolve.js";
import { collectFaults, validateAgainstStore } from "../config/store.js";
import type { RunConfig } from "../config/types.js";
import { configWarnings, validateConfig } from "../config/validate.js";
import { type Admissible, admissible, splitsOf } from "../data/sampling.js";
import { openStore, type Store } from "../data/store.js";
import { isAtmorepError } from "../errors.js";
import { knownNames } from "./knownNames.js";

export interface ConfigReport {
  faults: Fault[];
  warnings: string[];
  /** path or address of the store that was looked into, null if none was */
  store: string | null;
  draws: Record<string, Admissible>;
}

export interface InspectOptions {
  /** a store that is not there is an error; otherwise the checks that need it are left out, with a warning */
  requireStore?: boolean;
}

/**
 * Checks a resolved configuration: all faults that need no data, and if there is none, those that its store shows.
 *
 * @throws AtmorepError `input` if the store is required and not there, or if it cannot be read
 */
export async function inspectConfig(
  { config, warnings: resolvedWith, folder }: Pick<ResolvedConfig, "config" | "warnings" | "folder">,
  { requireStore = false }: InspectOptions = {},
): Promise<ConfigReport> {
  const faults = validateConfig(config, knownNames());
  const warnings = [...resolvedWith];
  if (faults.length > 0) return { faults, warnings, store: null, draws: {} };
  warnings.push(...configWarnings(config));
  const path = storePath(config, folder, requireStore);
  if (path === null) {
    warnings.push(`the store ${config.file_path} is not here: only what needs no data was checked`);
    return { faults, warnings, store: null, draws: {} };
  }
  const store = await openStore(path);
  try {
    return { warnings, store: path, ...checkDraws(config, store) };
  } finally {
    await store.close();
  }
}

function storePath(config: RunConfig, folder: string, required: boolean): string | null {
  try {
    return resolveStorePath(config.file_path, folder);
  } catch (error) {
    if (required || !isAtmorepError(error)) throw error;
    return null;
  }
}

/** Faults of a valid configuration that its open store shows, and what could be drawn. */
export function checkDraws(config: RunConfig, store: Store): Pick<ConfigReport, "faults" | "draws"> {
  const { fields, fieldsSfc, levels, res, arrays, times, lats, lons } = store;
  const summary = { fields, fieldsSfc, levels, res, arrays };
  const sizes = { numTimes: times.length, numLats: lats.length, numLons: lons.length };
  const structural = validateAgainstStore(config, { ...summary, ...sizes });
  if (structural.length > 0) return { faults: structural, draws: {} };
  const draws: Record<string, Admissible> = {};
  const faults = collectFaults(
    splitsOf(config).map((split) => () => {
      draws[split] = admissible(config, store, split);
    }),
  );
  // what the splits share (places) shows in each
  const texts = faults.map(({ path, what }) => `${path}: ${what}`);
  const distinct = faults.filter((_, i) => texts.indexOf(texts[i]) === i);
  if (distinct.length > 0) return { faults: distinct, draws: {} };
  const { train, validate, test } = draws;
  const counts = {
    trainTimes: train.times,
    valTimes: validate.times,
    trainAcrossGaps: train.acrossGaps,
    valAcrossGaps: validate.acrossGaps,
    ...(test ? { testTimes: test.times, testAcrossGaps: test.acrossGaps } : {}),
    places: train.places,
  };
  return { faults: validateAgainstStore(config, { ...summary, ...sizes }, counts), draws };
}
