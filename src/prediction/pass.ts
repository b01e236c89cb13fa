/**
 * Draws in, predictions out: what validation and evaluation have in common. Of the family, `predictDraws` takes draws,
 * `predictReady` one ready batch and `predictBatch` (its file) one batch of tensors.
 */
import { type BatchContext, type ReadyBatch, readyBatches } from "../batches/ready.js";
import { disposeBatch, toTensors } from "../batches/tensors.js";
import { parseFields, predictedFields } from "../config/fields.js";
import type { RunConfig } from "../config/types.js";
import type { Store } from "../data/store.js";
import type { Draw } from "../data/types.js";
import type { Engine } from "../engine/engine.js";
import { collectAfter } from "../engine/garbage.js";
import type { BatchPlace, MaskStreams } from "../masking/index.js";
import type { Params } from "../model/types.js";
import { type StepContext, type StepModel, stepModel } from "../step/step.js";
import { type BatchPrediction, predictBatch } from "./predictBatch.js";

/** What scores need to know of what is predicted. */
export interface PassSubject extends BatchContext {
  model: StepModel;
}

export const passSubject = (config: RunConfig, store: Store): PassSubject => ({
  config,
  store,
  fields: parseFields(config),
  predicted: predictedFields(config),
  model: stepModel(config),
});

/** What a pass needs; a session of training and one of evaluation both are this. */
export interface PassContext extends PassSubject {
  engine: Engine;
}

export interface PassOptions {
  /** streams of masking, which the pass moves on */
  streams: MaskStreams;
  /** whose masks; default validation's */
  split?: BatchPlace["split"];
  /** also read the members (default false) */
  members?: boolean;
  /** ends the pass before the next batch */
  signal?: AbortSignal;
}

/** One batch with what the network made of it. */
export interface PredictedBatch extends ReadyBatch, BatchPrediction {}

/**
 * The batches of `draws` with their predictions, in order. Aborted, it yields fewer.
 * @param params owned by the caller
 */
export async function* predictDraws(
  context: PassContext,
  params: Params,
  draws: readonly Draw[],
  { streams, split, members = false, signal }: PassOptions,
): AsyncGenerator<PredictedBatch> {
  let batches = 0;
  for await (const prepared of readyBatches(context, draws, streams, split)) {
    if (signal?.aborted) return;
    collectAfter(++batches);
    yield { ...prepared, ...(await predictReady(context, params, prepared, members)) };
    // lets signals, timers and other work in
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Predictions of one ready batch, whose tensors live only here. */
export async function predictReady(
  context: StepContext,
  params: Params,
  { plain }: Pick<ReadyBatch, "plain">,
  members: boolean,
): Promise<BatchPrediction> {
  const batch = toTensors(plain);
  try {
    return await predictBatch(context, params, batch, { members });
  } finally {
    disposeBatch(batch);
  }
}
