/** A run's training batches in the order of the epoch; with several processes, each its own. */

import type { PlainBatch } from "../batches/plain.js";
import type { BatchContext } from "../batches/ready.js";
import { plainOf, readAhead, readyBatches } from "../batches/ready.js";
import { BufferPool } from "../data/pool.js";
import { drawEpoch } from "../data/sampling.js";
import type { FieldSamples, SampleBatch } from "../data/types.js";
import { type MaskedBatch, maskInPlace, strategyOfBatch } from "../masking/index.js";
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
  const own = (batch: number) => isOwn(session, batch - from);
  const [tokens, targets] = [new BufferPool(), new BufferPool()];
  const read = readAhead(
    session,
    draws.filter((_, batch) => batch >= from && own(batch)),
    tokens,
  );
  const { masks } = session;
  // streams that run on are moved on by the others' batches too
  const blank = session.communicator.size > 1 && !masks.independent ? blankSamples(session) : null;
  const used: MaskedBatch[] = [];
  try {
    for (let batch = from; batch < draws.length; batch++) {
      const context = mixed(session, epoch, batch);
      if ((batch - from) % batchesPerStep(session) === 0) {
        for (const { fields } of used.splice(0)) {
          tokens.give(...fields.map(({ source }) => source));
          targets.give(...fields.map(({ target }) => target));
        }
      }
      if (own(batch)) {
        const { value: cube, done } = await read.next();
        if (done) return;
        const generators = masks.of({ split: "train", epoch, batch });
        const masked = maskInPlace(cube, session.fields, context.config, generators, { pool: targets });
        used.push(masked);
        yield plainOf(context, { cube, masked });
      } else {
        if (blank) {
          const generators = masks.of({ split: "train", epoch, batch });
          const { fields } = maskInPlace(blank, session.fields, context.config, generators, { pool: targets });
          for (const { target } of fields) targets.give(target);
        }
        yield null;
      }
    }
  } finally {
    await read.return(undefined);
  }
}

/** Each process takes the next `grad_accumulation` batches of a step. */
function isOwn({ config, communicator }: Session, k: number): boolean {
  const place = k % (config.grad_accumulation * communicator.size);
  return Math.floor(place / config.grad_accumulation) === communicator.rank;
}

/** A batch without values: drawing its masks takes as many random numbers as any other. */
function blankSamples({ fields, config, draws }: Session): SampleBatch {
  const B = config.batch_size;
  const zeros = ({ name, L, N, D, numTokens, tokenSize }: Session["fields"][number]): FieldSamples => ({
    name,
    tokens: new Float32Array(L * B * N * D),
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
