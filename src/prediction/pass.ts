/** One pass of a network over drawn batches, without dropout: what validation and evaluation have in common. */

import { disposeBatch, toTensors } from "../batches/batch.js";
import { type PreparedBatch, preparedBatches } from "../batches/batches.js";
import type { Field, PredictedField, RunConfig } from "../config/types.js";
import type { Store } from "../data/store.js";
import type { Draw } from "../data/types.js";
import { displayUnit } from "../data/units.js";
import type { Engine } from "../engine/engine.js";
import { collectAfter } from "../engine/garbage.js";
import type { MaskGenerators } from "../masking/index.js";
import type { Params } from "../model/types.js";
import type { NormalizationLookup } from "../results/physical.js";
import { type BaselineParams, baselinePredictions, type ScoreBatch } from "../scores/index.js";
import type { StepContext, StepModel } from "../step/step.js";
import { type EvalResult, evalStep } from "./evalStep.js";
import { targetStd } from "./physicalUnits.js";

/** What scores need to know of what is predicted. */
export interface PassSubject {
  config: RunConfig;
  store: Store;
  fields: Field[];
  predicted: PredictedField[];
  model: StepModel;
}

/** What a pass needs; a session of training and one of evaluation both are this. */
export interface PassContext extends PassSubject {
  engine: Engine;
}

export interface PassOptions {
  /** streams of masking, which the pass moves on */
  generators: MaskGenerators;
  /** also read the members (default false) */
  members?: boolean;
  /** ends the pass before the next batch */
  signal?: AbortSignal;
}

/** One batch with what the network made of it. */
export interface PassBatch extends PreparedBatch, EvalResult {}

/**
 * The batches of `draws` with their predictions, in order. Aborted, it yields fewer.
 * @param params owned by the caller
 */
export async function* predictionPass(
  context: PassContext,
  params: Params,
  draws: readonly Draw[],
  { generators, members = false, signal }: PassOptions,
): AsyncGenerator<PassBatch> {
  let batches = 0;
  for await (const prepared of preparedBatches(context, draws, generators)) {
    if (signal?.aborted) return;
    collectAfter(++batches);
    yield { ...prepared, ...(await predict(context, params, prepared, members)) };
    // lets signals, timers and other work in
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Predictions of one prepared batch. */
export async function predict(
  context: StepContext,
  params: Params,
  { plain }: Pick<PreparedBatch, "plain">,
  members: boolean,
): Promise<EvalResult> {
  const batch = toTensors(plain);
  try {
    return await evalStep(context, params, batch, { members });
  } finally {
    disposeBatch(batch);
  }
}

/**
 * One field of a batch as scores take it: the model (unless null) beside the baselines of the strategy, in the unit
 * that people read.
 */
export async function scoreBatch(
  { config, store }: Pick<PassContext, "config" | "store">,
  { cube, masked }: Pick<PreparedBatch, "cube" | "masked">,
  field: Field,
  model: Float32Array | null,
  { lookup, params }: { lookup: NormalizationLookup; params: BaselineParams },
): Promise<ScoreBatch> {
  const baselines = baselinePredictions(config.BERT_strategy, cube, masked, field.name, params);
  const own = masked.fields[field.index];
  return {
    cube,
    masked,
    field: field.name,
    predictions: model ? { model, ...baselines } : baselines,
    std: await targetStd(field, cube, own, store.lons.length, lookup, displayUnit(field.name).scale),
  };
}
