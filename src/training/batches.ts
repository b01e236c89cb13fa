/** A run's batches: drawn, read, masked, and turned into what the step takes, in the order of the epoch. */

import { loadCubes } from "../data/loader.js";
import { drawEpoch } from "../data/sampling.js";
import type { CubeBatch, Draw } from "../data/types.js";
import { needsArea } from "../losses/index.js";
import { type MaskedBatch, type MaskGenerators, maskBatch, strategyOfBatch } from "../masking/index.js";
import { type PlainBatch, plainBatch } from "./batch.js";
import type { Session } from "./session.js";

/** One batch with what it was made of, for results and scores. */
export interface PreparedBatch {
  cube: CubeBatch;
  masked: MaskedBatch;
  plain: PlainBatch;
}

/**
 * Training batches of `epoch` from number `from` on. The mask generators of the session move on with each.
 * With `overfit`, the epoch's first batch, masked once, again and again.
 */
export async function* trainBatches(session: Session, epoch: number, from: number): AsyncGenerator<PlainBatch> {
  const { options } = session;
  const draws = session.draws(epoch);
  if (options.overfit) {
    session.overfitBatch ??= await firstBatch(session);
    for (let k = from; k < draws.length; k++) yield session.overfitBatch;
    return;
  }
  let batch = from;
  for await (const cube of readAhead(session, draws.slice(from))) {
    yield prepare(mixed(session, epoch, batch++), cube, session.generators).plain;
  }
}

/** The session with the strategy of a training batch. */
function mixed(session: Session, epoch: number, batch: number): BatchContext {
  const { config, store, fields, predicted } = session;
  return { store, fields, predicted, config: { ...config, BERT_strategy: strategyOfBatch(config, epoch, batch) } };
}

/** What making a batch needs. */
type BatchContext = Pick<Session, "config" | "store" | "fields" | "predicted">;

/** Batches of fixed draws with generators of their own: validation and evaluation. */
export async function* preparedBatches(
  session: BatchContext,
  draws: readonly Draw[],
  generators: MaskGenerators,
): AsyncGenerator<PreparedBatch> {
  for await (const cube of readAhead(session, draws)) yield prepare(session, cube, generators);
}

function readAhead({ config, store }: BatchContext, draws: readonly Draw[]): AsyncGenerator<CubeBatch> {
  return loadCubes({ storeLocation: store.location, store, config, draws, workers: config.num_loader_workers });
}

/** Masks a cube and makes of it what the step takes. The generators move on. */
export function prepare(session: BatchContext, cube: CubeBatch, generators: MaskGenerators): PreparedBatch {
  const { config, fields, predicted, store } = session;
  const masked = maskBatch(cube, fields, config, generators);
  const lats = needsArea(config)
    ? cube.windows.map(({ lat }) => Float64Array.from(lat, (index) => store.lats[index]))
    : null;
  return { cube, masked, plain: plainBatch(masked, predicted, lats) };
}

async function firstBatch(session: Session): Promise<PlainBatch> {
  const { config, store } = session;
  const draws = drawEpoch({ config, store, split: "train", epoch: 0 }).slice(0, 1);
  for await (const { plain } of preparedBatches(mixed(session, 0, 0), draws, session.generators)) return plain;
  throw new Error("an epoch has at least one batch");
}
