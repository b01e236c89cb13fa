/**
 * Draws in, predictions out: what validation and evaluation have in common. Of the family, `predictDraws` takes draws,
 * `predictReady` one ready batch and `predictBatch` (its file) one batch of tensors.
 */
import { type BatchContext, type ReadyBatch, readyBatches } from "../batches/ready.js";
import { disposeBatch, toTensors } from "../batches/tensors.js";
import type { Draw } from "../data/types.js";
import type { MaskGenerators } from "../masking/index.js";
import type { Params } from "../model/types.js";
import { collectGarbage } from "../step/garbage.js";
import type { StepModel } from "../step/step.js";
import { type BatchPrediction, predictBatch } from "./predictBatch.js";

/** What a pass needs to know; a session of training and one of evaluation both are this. */
export interface PassContext extends BatchContext {
  model: StepModel;
}

export interface PassOptions {
  /** streams of masking, which the pass moves on */
  generators: MaskGenerators;
  /** also read the members (default false) */
  members?: boolean;
  /** ends the pass before the next batch */
  signal?: AbortSignal;
}

/** Batches between two collections of garbage. */
const COLLECT_EVERY = 20;

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
  { generators, members = false, signal }: PassOptions,
): AsyncGenerator<PredictedBatch> {
  let batches = 0;
  for await (const prepared of readyBatches(context, draws, generators)) {
    if (signal?.aborted) return;
    if (++batches % COLLECT_EVERY === 0) collectGarbage();
    yield { ...prepared, ...(await predictReady(context, params, prepared, members)) };
    // lets signals, timers and other work in
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Predictions of one ready batch, whose tensors live only here. */
export async function predictReady(
  { model }: Pick<PassContext, "model">,
  params: Params,
  { plain }: Pick<ReadyBatch, "plain">,
  members: boolean,
): Promise<BatchPrediction> {
  const batch = toTensors(plain);
  try {
    return await predictBatch(model, params, batch, { members });
  } finally {
    disposeBatch(batch);
  }
}
