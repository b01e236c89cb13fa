/** A run's batches: drawn, read, masked, and turned into what the step takes, in the order of the epoch. */

import { loadCubes } from "../data/loader.js";
import { drawEpoch } from "../data/sampling.js";
import type { CubeBatch, Draw, FieldCube } from "../data/types.js";
import { needsArea } from "../losses/index.js";
import { type MaskedBatch, type MaskGenerators, maskBatch, strategyOfBatch } from "../masking/index.js";
import type { Session } from "../training/session.js";
import { type PlainBatch, plainBatch } from "./batch.js";

/** One batch with what it was made of, for results and scores. */
export interface PreparedBatch {
  cube: CubeBatch;
  masked: MaskedBatch;
  plain: PlainBatch;
}

/** Batches of one optimiser step, over all processes. */
export const batchesPerStep = ({ config, communicator }: Pick<Session, "config" | "communicator">): number =>
  config.grad_accumulation * communicator.size;

/**
 * Training batches of `epoch` from number `from` on; null for one that another process computes. The mask generators of the
 * session move on with each, its own or not: so do those of a process that trains alone.
 * With `overfit`, the epoch's first batch, masked once, again and again.
 */
export async function* trainBatches(session: Session, epoch: number, from: number): AsyncGenerator<PlainBatch | null> {
  const { options } = session;
  const draws = session.draws(epoch);
  if (options.overfit) {
    session.overfitBatch ??= await firstBatch(session);
    for (let k = from; k < draws.length; k++) yield session.overfitBatch;
    return;
  }
  const own = (batch: number) => isOwn(session, batch - from);
  const cubes = readAhead(
    session,
    draws.filter((_, batch) => batch >= from && own(batch)),
  );
  const blank = session.communicator.size > 1 ? blankCube(session) : null;
  try {
    for (let batch = from; batch < draws.length; batch++) {
      const context = mixed(session, epoch, batch);
      if (own(batch)) {
        const { value: cube, done } = await cubes.next();
        if (done) return;
        yield prepare(context, cube, session.generators).plain;
      } else {
        maskBatch(blank!, session.fields, context.config, session.generators);
        yield null;
      }
    }
  } finally {
    await cubes.return(undefined);
  }
}

/** Each process takes the next `grad_accumulation` batches of a step. */
function isOwn({ config, communicator }: Session, k: number): boolean {
  const place = k % (config.grad_accumulation * communicator.size);
  return Math.floor(place / config.grad_accumulation) === communicator.rank;
}

/** A batch without values: drawing its masks takes as many random numbers as any other. */
function blankCube({ fields, config, draws }: Session): CubeBatch {
  const B = config.batch_size;
  const zeros = ({ name, L, N, D, numTokens, tokenSize }: Session["fields"][number]): FieldCube => ({
    name,
    tokens: new Float32Array(L * B * N * D),
    shape: [L, B, ...numTokens, ...tokenSize] as FieldCube["shape"],
    infos: new Float32Array(L * B * N * 8),
    valid: null,
  });
  return { draw: draws(0)[0], windows: [], fields: fields.map(zeros) };
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
