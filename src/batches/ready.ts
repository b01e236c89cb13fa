/** Batches ready for the step: read, masked and put into plain arrays, from draws that the caller has made. */
import type { Field, PredictedField, RunConfig, Strategy } from "../config/types.js";
import type { Store } from "../data/store.js";
import type { CubeBatch, Draw } from "../data/types.js";
import { needsArea } from "../losses/index.js";
import {
  type BatchPlace,
  isBuiltIn,
  type LevelGenerators,
  type MaskedBatch,
  type MaskStreams,
  maskBatch,
} from "../masking/index.js";
import { loadCubes } from "./loader.js";
import { type PlainBatch, plainBatch } from "./plain.js";
import type { Masking } from "./workerMessages.js";

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

/**
 * Batches of fixed draws, in order: the first batches of a split, of epoch 0. Streams of a run move on with each.
 * @param numbers of the draws in the split, which say their masks where streams do not run on; default from 0 on
 */
export async function* readyBatches(
  context: BatchContext,
  draws: readonly Draw[],
  streams: MaskStreams,
  split: BatchPlace["split"] = "validate",
  numbers?: readonly number[],
): AsyncGenerator<ReadyBatch> {
  const { config, store } = context;
  const place = (batch: number): BatchPlace => ({ split, epoch: 0, batch: numbers?.[batch] ?? batch });
  const masking = (n: number) => maskingOf(streams, place(n), config.BERT_strategy);
  let n = 0;
  for await (const { batch, masked } of loadCubes({
    store,
    config,
    draws,
    workers: config.num_loader_workers,
    masking,
  })) {
    if (masked) yield { cube: batch, masked, plain: plainOf(context, { cube: batch, masked }) };
    else yield readyBatch(context, batch, streams.of(place(n)));
    n++;
  }
}

/** The masks of a batch, if any thread can make them; null where streams run on, and for strategies of notebooks. */
export function maskingOf(streams: MaskStreams, place: BatchPlace, strategy: Strategy): Masking | null {
  return streams.independent && isBuiltIn(strategy) ? { place, strategy } : null;
}

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
