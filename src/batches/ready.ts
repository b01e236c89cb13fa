/** Batches ready for the step: read, masked and put into plain arrays, from draws that the caller has made. */
import type { Field, PredictedField, RunConfig } from "../config/types.js";
import { loadCubes, loadSamples } from "../data/loader.js";
import type { BufferPool } from "../data/pool.js";
import type { Store } from "../data/store.js";
import type { CubeBatch, Draw, SampleBatch } from "../data/types.js";
import { needsArea } from "../losses/index.js";
import {
  type BatchPlace,
  type LevelGenerators,
  type MaskedBatch,
  type MaskStreams,
  maskBatch,
} from "../masking/index.js";
import { type PlainBatch, plainBatch } from "./plain.js";

/** What making a batch needs to know of a run. */
export interface BatchContext {
  config: RunConfig;
  store: Store;
  fields: Field[];
  predicted: PredictedField[];
}

/** One batch with what it was made of, for results and scores. */
export interface ReadyBatch {
  cube: CubeBatch;
  masked: MaskedBatch;
  plain: PlainBatch;
}

/** Batches of fixed draws, in order: the first batches of a split, of epoch 0. Streams of a run move on with each. */
export async function* readyBatches(
  context: BatchContext,
  draws: readonly Draw[],
  streams: MaskStreams,
  split: BatchPlace["split"] = "validate",
): AsyncGenerator<ReadyBatch> {
  let batch = 0;
  for await (const cube of loadCubes(loading(context, draws))) {
    yield readyBatch(context, cube, streams.of({ split, epoch: 0, batch: batch++ }));
  }
}

/** Batches of some draws with the samples first, in order, read in the background. */
export function readAhead(
  context: Pick<BatchContext, "config" | "store">,
  draws: readonly Draw[],
  pool: BufferPool,
): AsyncGenerator<SampleBatch> {
  return loadSamples(loading(context, draws), pool);
}

const loading = ({ config, store }: Pick<BatchContext, "config" | "store">, draws: readonly Draw[]) => ({
  storeLocation: store.location,
  store,
  config,
  draws,
  workers: config.num_loader_workers,
});

/** Masks a cube and makes of it what the step takes. The generators move on. */
export function readyBatch(context: BatchContext, cube: CubeBatch, generators: LevelGenerators): ReadyBatch {
  const masked = maskBatch(cube, context.fields, context.config, generators);
  return { cube, masked, plain: plainOf(context, { cube, masked }) };
}

/** A masked batch in plain arrays, with the latitudes of its cube where a loss reads them. */
export function plainOf(
  { config, predicted, store }: Pick<BatchContext, "config" | "predicted"> & { store: Pick<Store, "lats"> },
  { cube, masked }: { cube: Pick<CubeBatch, "windows">; masked: MaskedBatch },
): PlainBatch {
  const lats = needsArea(config)
    ? cube.windows.map(({ lat }) => Float64Array.from(lat, (index) => store.lats[index]))
    : null;
  return plainBatch(masked, predicted, lats);
}
