/** From a draw to a batch: windows, normalised tokens, token infos. */
import type { RunConfig } from "../config/types.js";
import { type FieldSource, resolveFields } from "./fields.js";
import { type GatherJob, gather } from "./gather.js";
import { monthlyNormalization } from "./normalization/monthly.js";
import type { Store } from "./store.js";
import { tokenInfos, transformTokenInfos } from "./tokenInfos.js";
import { tokenLayout } from "./tokens.js";
import type { CubeBatch, Draw, FieldCube } from "./types.js";
import { windowOf } from "./window.js";

export type CubeConfig = Pick<
  RunConfig,
  "fields" | "n_size" | "time_sampling" | "missing_values" | "token_infos_transformation"
>;

/**
 * Reads one batch: every chunk once, each value normalised on its way into its token.
 *
 * Points of steps that the store names as `filled` get `valid` 0 and keep their value. With `missing_values: "skip"`
 * a point that is NaN (or, with local normalisation, has no valid normalisation) becomes 0, the climatological mean,
 * with `valid` 0, so that it counts in no loss and no score; with `"error"` it ends the reading.
 * @throws AtmorepError (config) if the store lacks what the configuration asks for; (input) for missing values and faults of the store
 */
export async function readCube(store: Store, config: CubeConfig, draw: Draw): Promise<CubeBatch> {
  const fields = resolveFields(config, store);
  const windows = draw.places.map((place) => windowOf(store, config, draw.timeIndex, place));
  const months = new Set(Array.from(windows[0].time, (t) => store.calendar.month[t]));
  const cubes = fields.map((field) => emptyCube(field, windows.length));
  const jobs: GatherJob[] = [];
  for (const [f, field] of fields.entries()) {
    const layout = tokenLayout(field.numTokens, field.tokenSize);
    for (const [l, source] of field.sources.entries()) {
      jobs.push({
        name: field.name,
        source,
        layout,
        offset: l * windows.length * layout.size,
        normalization: await monthlyNormalization(store, field.name, source, field.normalization, months),
        cube: cubes[f],
      });
    }
  }
  const { data, data_sfc } = store.arrays;
  const skip = config.missing_values === "skip";
  for (const [array, surface] of [[data, false] as const, [data_sfc, true] as const]) {
    const own = jobs.filter((job) => job.source.surface === surface);
    if (array && own.length > 0) await gather(store, array, windows, own, skip);
  }
  for (const [f, field] of fields.entries()) {
    cubes[f].infos = transformTokenInfos(tokenInfos(field, store, windows), config.token_infos_transformation ?? null);
  }
  return { draw, windows, fields: cubes };
}

function emptyCube(field: FieldSource, B: number): FieldCube {
  const shape: FieldCube["shape"] = [field.L, B, ...field.numTokens, ...field.tokenSize];
  return {
    name: field.name,
    tokens: new Float32Array(field.L * B * field.N * field.D),
    shape,
    infos: new Float32Array(0),
    valid: null,
  };
}
