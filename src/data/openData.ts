/** The store of a configuration, with its normalisation: the source's own, one beside it, or one computed on first use. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { parseFields } from "../config/fields.js";
import { resolveStorePath } from "../config/resolve.js";
import type { RunConfig } from "../config/types.js";
import { AtmorepError } from "../errors.js";
import { shown } from "../shown.js";
import { type StatisticsOf, withStatistics, writeStatistics } from "./normalization/beside.js";
import { evenSteps } from "./normalization/steps.js";
import { trainingTimes } from "./sampling.js";
import { openStore } from "./store.js";
import type { Store, StoreOptions } from "./storeTypes.js";
import { userCache } from "./userCache.js";

/** Times that statistics are computed from on first use, at most. */
const STEPS = 240;
/** Of the file and how it is computed: another one has other names. */
const VERSION = 2;

export type DataConfig = Pick<RunConfig, "file_path" | "statistics" | "fields" | "dates_train" | "years_train">;

/**
 * Opens `file_path` with the normalisation that `statistics` names. Without that key a source that is no store of the
 * AtmoRep layout gets one of its own: from at most 240 times of the training period, as many of each calendar month,
 * computed once and kept in the user's cache folder. Every process gets the same numbers.
 * @param folder that relative paths are taken from first
 * @throws AtmorepError (input) as `openStore`; (config) if the source has no time of the training period
 */
export async function openData(
  config: DataConfig,
  folder?: string,
  options: Omit<StoreOptions, "statistics"> = {},
): Promise<Store> {
  const statistics = config.statistics ? resolveStorePath(config.statistics, folder, "statistics") : null;
  const store = await openStore(resolveStorePath(config.file_path, folder), { ...options, statistics });
  if (store.view === null || statistics !== null) return store;
  try {
    const wanted = wantedOf(config, store);
    // What the source lacks is told by the checks that follow, all of it together.
    return wanted === null ? store : await withStatistics(store, await statisticsOf(config, store, wanted));
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** The fields and levels of a configuration; null if the store lacks one of them. */
function wantedOf(config: DataConfig, store: Store): StatisticsOf[] | null {
  const wanted = parseFields(config).flatMap(({ name, levels }) => levels.map((level) => ({ name, level })));
  const has = ({ name, level }: StatisticsOf) =>
    level === 0 ? store.fieldsSfc.includes(name) : store.fields.includes(name) && store.levels.includes(level);
  return wanted.every(has) ? wanted : null;
}

/** Place of the statistics, computed if they are not kept already. */
async function statisticsOf(config: DataConfig, store: Store, wanted: readonly StatisticsOf[]): Promise<string> {
  const period = config.dates_train ?? config.years_train;
  const local = parseFields(config).some(({ normalization }) => normalization === "local");
  const key = JSON.stringify([VERSION, store.view?.identity, wanted, local, period]);
  const folder = await cacheFolder();
  const place = join(folder, `${createHash("sha256").update(key).digest("hex").slice(0, 32)}.zip`);
  if (existsSync(place)) return place;
  const all = trainingTimes(config, store);
  if (all.length === 0) {
    throw new AtmorepError("config", "the source has no normalisation, and no time of training to compute one from", {
      where: config.dates_train ? "dates_train" : "years_train",
      found: period,
      expected: "times of the source",
      fix: "Name a normalisation of the training data with --set statistics=FILE; data normalize SOURCE --out FILE writes one",
    });
  }
  const steps = evenSteps(store, all, STEPS, togetherOf(store));
  process.stderr.write(
    shown(
      `${store.location}: no normalisation of its own; computing it by calendar month from ${steps.length} of ${all.length} training times, kept in ${place}\n`,
    ),
  );
  await writeStatistics(store, place, { of: wanted, steps, local });
  return place;
}

/** Times that every array of a view decodes together. */
const togetherOf = ({ arrays }: Store): number => (arrays.data ?? arrays.data_sfc)?.chunkShape[0] ?? 1;

/** Made if it is not there. */
async function cacheFolder(): Promise<string> {
  const folder = userCache("statistics");
  try {
    await mkdir(folder, { recursive: true });
    return folder;
  } catch (cause) {
    throw new AtmorepError("input", "the normalisation of the source cannot be kept here", {
      where: folder,
      found: (cause as NodeJS.ErrnoException).code,
      fix: "Set XDG_CACHE_HOME to a folder that can be written to, or name a normalisation with --set statistics=FILE",
      cause,
    });
  }
}
