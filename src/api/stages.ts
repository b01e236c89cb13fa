/**
 * Batch preparation stage by stage; each takes and returns plain data.
 * @example
 * const store = await openStore("assets/storm_199601.zarr");
 * const fields = parseFields(config);
 * const [draw] = drawEpoch({ config, store, split: "train", epoch: 0 });
 * const cube = await readCube(store, config, draw);
 * const masked = maskBatch(cube, fields, config, createMaskGenerators(config, fields));
 */

import type { PlainBatch } from "../batches/plain.js";
import type { PredictedField } from "../config/types.js";
import type { CubeConfig } from "../data/cube.js";
import type { StoreInfo } from "../data/info/info.js";
import type { NormalizeBy, NormalizeSummary } from "../data/normalization/normalize.js";
import type { DataConfig } from "../data/openData.js";
import type { Store, StoreOptions } from "../data/store.js";
import type { CubeBatch, Draw } from "../data/types.js";
import type { WavesOptions, WavesSummary } from "../data/waves.js";
import type { MaskedBatch } from "../masking/types.js";

/** The entries of `fields`, by name. Example: `parseFields(config)[0].numTokens`. */
export { parseFields, predictedFields } from "../config/fields.js";
/** The place of a store. Example: `await openStore(resolveStorePath(config.file_path))`. */
export { resolveStorePath } from "../config/resolve.js";
/** The draws of an epoch. Example: `drawEpoch({ config, store, split: "train", epoch: 0 })`. */
export { drawEpoch } from "../data/sampling.js";
/** Cutting windows into tokens and back. Example: `untokenize(tokens, tokenLayout([4, 3, 3], [3, 6, 6]))`. */
export { tokenize, tokenLayout, untokenize } from "../data/tokens.js";
/** The unit people read a field in. Example: `displayUnit("velocity_u").unit`. */
export { displayUnit } from "../data/units.js";
/** Masking. Example: `maskBatch(cube, fields, config, createMaskGenerators(config, fields))`. */
export { createMaskGenerators, createMaskStreams, maskBatch, maskingSummary, TOKEN_KIND } from "../masking/index.js";

/**
 * Opens a store: a Zarr group in a folder, a zip file or at an http address, of the AtmoRep layout or, as a view, of any
 * other; NetCDF and GRIB files by a pattern; a mapping file. A view has no normalisation: `openData` sees to it.
 * @throws AtmorepError (input) if it can be none of these
 * @example const store = await openStore("assets/storm_199601.zarr");
 */
export async function openStore(location: string, options: StoreOptions = {}): Promise<Store> {
  return (await import("../data/store.js")).openStore(location, options);
}

/**
 * Opens the store of a configuration, `file_path`, with the normalisation that `statistics` names, or, of a source that is
 * no store of the AtmoRep layout, one that is computed on first use from the training period and kept.
 * @param folder that relative paths are taken from first
 * @throws AtmorepError as `openStore`; (config) if the source has no time of the training period
 * @example const store = await openData(config);
 */
export async function openData(config: DataConfig, folder?: string): Promise<Store> {
  return (await import("../data/openData.js")).openData(config, folder);
}

/**
 * Fields, levels, times, gaps, grid, chunks and normalisation of a store.
 * @param withValues also reads values, for ranges, missing ones and outliers: all of them up to 1 GiB (over http 64 MiB),
 *   beyond that evenly spaced time steps of as many bytes
 * @example (await describeStore(store, false)).times;
 */
export async function describeStore(store: Store, withValues = true): Promise<StoreInfo> {
  return (await import("../data/info/info.js")).describeStore(store, withValues);
}

/**
 * One batch before masking: windows, normalised tokens [L, B, nt, ny, nx, tt, ty, tx], token infos [L, B, N, 8].
 * @throws AtmorepError (config) if the store lacks what is asked for; (input) for missing values
 * @example const cube = await readCube(store, config, drawEpoch({ config, store, split: "train", epoch: 0 })[0]);
 */
export async function readCube(store: Store, config: CubeConfig, draw: Draw): Promise<CubeBatch> {
  return (await import("../data/cube.js")).readCube(store, config, draw);
}

/**
 * Raw values of one level of a field [time, lat, lon], NaN where missing; without time indices the whole store.
 * @throws AtmorepError (config) if the store has no such field or level
 * @example const { values, shape } = await readValues(store, "mean_sea_level_pressure", 0, [28]);
 */
export async function readValues(
  store: Store,
  field: string,
  level: number,
  times?: readonly number[],
): Promise<{ values: Float32Array; shape: [number, number, number] }> {
  const [{ readValues: read, wholeWindow }, { levelSource }] = await Promise.all([
    import("../data/values.js"),
    import("../data/fields.js"),
  ]);
  return read(store, levelSource(store, field, level), wholeWindow(store, times && Int32Array.from(times)));
}

/**
 * A masked batch as the network and the losses take it.
 * @example plainBatch(masked, predictedFields(config)).targets[0].M;
 */
export async function plainBatch(masked: MaskedBatch, predicted: readonly PredictedField[]): Promise<PlainBatch> {
  return (await import("../batches/plain.js")).plainBatch(masked, predicted);
}

/**
 * Makes the synthetic store of travelling waves: for tests and trials, not weather.
 * @example await makeWaves("waves.zarr", { days: 10 });
 */
export async function makeWaves(path: string, options: Partial<WavesOptions> = {}): Promise<WavesSummary> {
  return (await import("../data/waves.js")).makeWaves(path, options);
}

/**
 * Computes the normalisation arrays of a store from its own values and writes them into it.
 * @param dates use these times only, both inclusive (a bare date at the end is its last hour): keep validation times out
 * @param by `calendar-month`: one January, one February, ... of all years of the dates, which later years use too
 * @example await normalizeStore("my.zarr", ["1996-01-05", "1996-01-15T18:00"]);
 */
export async function normalizeStore(
  location: string,
  dates: readonly [string, string] | null = null,
  by: NormalizeBy = "month",
): Promise<NormalizeSummary> {
  const { normalizeStore } = await import("../data/normalization/normalize.js");
  return normalizeStore(location, dates && [dates[0], dates[1]], by);
}
