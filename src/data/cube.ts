/** From a draw to a batch: windows, normalised tokens, token infos. */
import type { RunConfig } from "../config/types.js";
import { type FieldSource, resolveFields } from "./fields.js";
import { chunksOf, type Ended, type GatherJob, gather } from "./gather.js";
import { monthlyNormalization } from "./normalization/monthly.js";
import type { Buffers } from "./pool.js";
import type { Store } from "./storeTypes.js";
import { scaleTokenInfos, tokenInfos, transformTokenInfos } from "./tokenInfos.js";
import { tokenLayout } from "./tokens.js";
import type { CubeBatch, Draw, FieldCube, FieldSamples, SampleBatch, Window } from "./types.js";
import { windowOf } from "./window.js";
import { product } from "./zarr/array.js";

export type CubeConfig = Pick<
  RunConfig,
  "fields" | "n_size" | "time_sampling" | "missing_values" | "token_infos_transformation"
> &
  Partial<Pick<RunConfig, "token_infos">>;

/**
 * Reads one batch: every chunk once, each value normalised on its way into its token.
 *
 * Points of steps that the store names as `filled` get `valid` 0 and keep their value. With `missing_values: "skip"`
 * a point that is NaN (or, with local normalisation, has no valid normalisation) becomes 0, the climatological mean,
 * with `valid` 0, so that it counts in no loss and no score; with `"error"` it ends the reading.
 * @param ended looked at between chunks: whether nobody wants the batch any more
 * @throws AtmorepError (config) if the store lacks what the configuration asks for; (input) for missing values and faults of the store
 */
export async function readCube(store: Store, config: CubeConfig, draw: Draw, ended?: Ended): Promise<CubeBatch> {
  const reading = startReading(store, config, draw);
  const B = reading.windows.length;
  const fields = reading.fields.map(({ name, L, N, D, numTokens, tokenSize }): FieldCube => {
    const tokens = new Float32Array(L * B * N * D);
    return { name, tokens, shape: [L, B, ...numTokens, ...tokenSize], infos: new Float32Array(0), valid: null };
  });
  const size = (f: number) => reading.fields[f].N * reading.fields[f].D;
  await readTokens(reading, fields, (f, l) => ({ offset: l * B * size(f), stride: size(f) }), ended);
  for (const [f, field] of reading.fields.entries()) fields[f].infos = infosOf(reading, field, "level");
  return { draw, windows: reading.windows, fields };
}

/**
 * The same values with the samples first: what training masks in place, with no copy in between.
 * @param pool where the arrays of tokens are taken from; to be given back when the batch has been used
 * @throws AtmorepError as `readCube`
 */
export async function readSamples(
  store: Store,
  config: CubeConfig,
  draw: Draw,
  pool: Buffers,
  ended?: Ended,
): Promise<SampleBatch> {
  const reading = startReading(store, config, draw);
  const B = reading.windows.length;
  const fields = reading.fields.map(({ name, L, N, D, numTokens, tokenSize }): FieldSamples => {
    const tokens = pool.take(B * L * N * D);
    return { name, tokens, shape: [B, L, ...numTokens, ...tokenSize], infos: new Float32Array(0), valid: null };
  });
  const size = (f: number) => reading.fields[f].N * reading.fields[f].D;
  await readTokens(reading, fields, (f, l) => ({ offset: l * size(f), stride: reading.fields[f].L * size(f) }), ended);
  for (const [f, field] of reading.fields.entries()) fields[f].infos = infosOf(reading, field, "sample");
  return { draw, windows: reading.windows, fields };
}

/** What a draw asks of a store. */
interface Reading {
  store: Store;
  config: CubeConfig;
  fields: FieldSource[];
  windows: Window[];
}

function startReading(store: Store, config: CubeConfig, draw: Draw): Reading {
  const fields = resolveFields(config, store);
  const windows = draw.places.map((place) => windowOf(store, config, draw.timeIndex, place));
  // one array of times for all, so that threads hand over one
  return { store, config, fields, windows: windows.map((window) => ({ ...window, time: windows[0].time })) };
}

/** Fills `tokens` (and `valid` where points do not count) of each field; `place` says where each level's samples lie. */
async function readTokens(
  { store, config, fields, windows }: Reading,
  into: readonly Pick<FieldCube, "tokens" | "valid">[],
  place: (field: number, level: number) => Pick<GatherJob, "offset" | "stride">,
  ended: Ended | undefined,
): Promise<void> {
  const months = new Set(Array.from(windows[0].time, (t) => store.calendar.month[t]));
  const jobs: GatherJob[] = [];
  try {
    for (const [f, field] of fields.entries()) {
      const layout = tokenLayout(field.numTokens, field.tokenSize);
      for (const [l, source] of field.sources.entries()) {
        const normalization = await monthlyNormalization(store, field.name, source, field.normalization, months);
        jobs.push({ name: field.name, source, layout, ...place(f, l), normalization, into: into[f] });
      }
    }
    const { data, data_sfc } = store.arrays;
    const skip = config.missing_values === "skip";
    for (const [array, surface] of [[data, false] as const, [data_sfc, true] as const]) {
      const own = jobs.filter((job) => job.source.surface === surface);
      if (array && own.length > 0) await gather(store, array, windows, own, skip, ended);
    }
  } finally {
    for (const { normalization } of jobs) normalization.release();
  }
}

/**
 * Has the chunks of a batch decoded before they are needed, so that they are in the cache then: in the order in which
 * reading the batch asks for them or, to help a thread that is at it already, in the other one. What would not stay is
 * left. Faults are left too: they are told when the batch is read.
 */
export async function readAhead(
  store: Store,
  config: CubeConfig,
  draw: Draw,
  { helping = false, ended }: { helping?: boolean; ended?: Ended } = {},
): Promise<void> {
  const { fields, windows } = startReading(store, config, draw);
  const { data, data_sfc } = store.arrays;
  for (const array of [data, data_sfc]) {
    const jobs = fields.flatMap(({ sources }) =>
      sources.flatMap((source) => (array && source.surface === (array === data_sfc) ? [{ source }] : [])),
    );
    if (!array || jobs.length === 0) continue;
    const bytes = array.itemBytes * product(array.chunkShape);
    const needed = chunksOf(array, windows, jobs);
    const room = store.cache.room(bytes);
    if (helping) {
      if (needed.length > room) continue;
      needed.reverse();
    }
    let next = 0;
    const load = async () => {
      while (next < Math.min(needed.length, room) && !ended?.aborted) {
        const coords = needed[next++];
        await array.chunk(coords).then(
          ({ release }) => release(),
          () => {},
        );
      }
    };
    await Promise.all(Array.from({ length: store.cache.atOnce(bytes) }, load));
  }
}

function infosOf({ store, config, windows }: Reading, field: FieldSource, first: "level" | "sample"): Float32Array {
  const infos = tokenInfos(field, store, windows, first);
  return scaleTokenInfos(transformTokenInfos(infos, config.token_infos_transformation ?? null), config.token_infos);
}
