/** A run's training batches in the order of the epoch; with several processes, each its own. */

import { loadSamples } from "../batches/loader.js";
import type { PlainBatch } from "../batches/plain.js";
import type { BatchContext } from "../batches/ready.js";
import { maskingOf, plainOf, readyBatches } from "../batches/ready.js";
import { BufferPool } from "../data/pool.js";
import { drawEpoch } from "../data/sampling.js";
import type { FieldSamples, SampleBatch } from "../data/types.js";
import { type BatchPlace, type MaskedBatch, maskInPlace, strategyOfBatch } from "../masking/index.js";
import type { Session } from "./session.js";

/** Batches of one optimiser step, over all processes. */
export const batchesPerStep = ({ config, communicator }: Pick<Session, "config" | "communicator">): number =>
  config.grad_accumulation * communicator.size;

/**
 * Training batches of `epoch` from number `from` on; null for one that another process computes. Mask streams of the run
 * move on with each, its own or not: so do those of a process that trains alone.
 * Whoever asks for the first batch of the next step has done with those of the last: their arrays are used again.
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
  const { config, store, masks } = session;
  const isMine = (batch: number) => isOwn(session, batch - from);
  const own = [...draws.keys()].filter((batch) => batch >= from && isMine(batch));
  const place = (batch: number): BatchPlace => ({ split: "train", epoch, batch });
  const pool = new BufferPool(store.cache);
  const read = loadSamples(
    {
      store,
      config,
      draws: own.map((batch) => draws[batch]),
      workers: config.num_loader_workers,
      masking: (n) => maskingOf(masks, place(own[n]), strategyOfBatch(config, epoch, own[n])),
    },
    pool,
  );
  // streams that run on are moved on by the others' batches too
  const blank = session.communicator.size > 1 && !masks.independent ? blankSamples(session, pool) : null;
  const used: MaskedBatch[] = [];
  try {
    for (let batch = from; batch < draws.length; batch++) {
      const context = mixed(session, epoch, batch);
      if ((batch - from) % batchesPerStep(session) === 0) {
        for (const { fields } of used.splice(0)) pool.give(...fields.flatMap(({ source, target }) => [source, target]));
      }
      if (isMine(batch)) {
        const { value: loaded, done } = await read.next();
        if (done) return;
        const { batch: cube } = loaded;
        const masked =
          loaded.masked ?? maskInPlace(cube, session.fields, context.config, masks.of(place(batch)), { pool });
        used.push(masked);
        yield plainOf(context, { cube, masked });
      } else {
        if (blank) {
          const { fields } = maskInPlace(blank, session.fields, context.config, masks.of(place(batch)), { pool });
          for (const { target } of fields) pool.give(target);
        }
        yield null;
      }
    }
  } finally {
    await read.return(undefined);
    pool.close();
  }
}

/** Each process takes the next `grad_accumulation` batches of a step. */
function isOwn({ config, communicator }: Session, k: number): boolean {
  const place = k % (config.grad_accumulation * communicator.size);
  return Math.floor(place / config.grad_accumulation) === communicator.rank;
}

/** A batch without values: drawing its masks takes as many random numbers as any other. */
function blankSamples({ fields, config, draws }: Session, pool: BufferPool): SampleBatch {
  const B = config.batch_size;
  const zeros = ({ name, L, N, D, numTokens, tokenSize }: Session["fields"][number]): FieldSamples => ({
    name,
    tokens: pool.take(L * B * N * D).fill(0),
    shape: [B, L, ...numTokens, ...tokenSize] as FieldSamples["shape"],
    infos: new Float32Array(L * B * N * 8),
    valid: null,
  });
  return { draw: draws(0)[0], windows: [], fields: fields.map(zeros) };
}

/** What making a training batch needs, with the strategy of that batch. */
function mixed({ config, store, fields, predicted }: Session, epoch: number, batch: number): BatchContext {
  return { store, fields, predicted, config: { ...config, BERT_strategy: strategyOfBatch(config, epoch, batch) } };
}

async function firstBatch(session: Session): Promise<PlainBatch> {
  const { config, store } = session;
  const draws = drawEpoch({ config, store, split: "train", epoch: 0 }).slice(0, 1);
  for await (const { plain } of readyBatches(mixed(session, 0, 0), draws, session.masks, "train")) return plain;
  throw new Error("an epoch has at least one batch");
}
