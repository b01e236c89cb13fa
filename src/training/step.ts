/**
 * One optimiser step as a function of (parameters, optimiser state, batch, seeds, rates). `batchGradients` and
 * `nextState` read nothing from the device, so that an engine can trace them; `trainStep` reads the numbers once.
 */
import * as tf from "@tensorflow/tfjs-core";
import { predictedFields } from "../config/fields.js";
import type { PredictedField, RunConfig } from "../config/types.js";
import { totalLoss } from "../losses/total.js";
import { forward } from "../model/forward.js";
import { type ModelSpec, modelSpec } from "../model/spec.js";
import type { Params } from "../model/types.js";
import { adamwRates, adamwUpdate } from "./adamw.js";
import type { StepBatch } from "./batch.js";
import { emaUpdate } from "./ema.js";
import { addGradients, clipScale, globalNorm, valueAndGradients } from "./gradients.js";
import { findNonFinite, nonFiniteError } from "./nonFinite.js";
import { releaseFormer, type TrainState } from "./state.js";
import { readResult, resultIsFinite, type StepResult } from "./stepResult.js";

export { disposeState, initState, type TrainState } from "./state.js";
export type { StepResult } from "./stepResult.js";

/** What stays the same over a run. */
export interface StepModel {
  config: RunConfig;
  spec: ModelSpec;
  predicted: PredictedField[];
}

export const stepModel = (config: RunConfig): StepModel => ({
  config,
  spec: modelSpec(config),
  predicted: predictedFields(config),
});

/** What changes from step to step. */
export interface StepRates {
  learningRate: number;
  /** per batch the run's seed and a number of its own; null: no dropout */
  dropoutSeeds: readonly (readonly [seed: number, step: number])[] | null;
  /** number of the step, for messages */
  step: number;
}

/** Gradients of the total on one batch, and its numbers. */
export interface BatchGradients {
  grads: Params;
  /** total, the terms, then mse and spread of each predicted field that has hidden tokens */
  numbers: tf.Tensor1D;
  /** loss and field of each term */
  terms: { loss: string; field: string }[];
  /** per predicted field: has it hidden tokens */
  hidden: boolean[];
}

/**
 * Forward, losses and backward on one batch. Pure; reads nothing.
 * @returns tensors that the caller disposes
 */
export function batchGradients(
  { config, spec, predicted }: StepModel,
  params: Params,
  { inputs, targets }: StepBatch,
  dropoutSeed: readonly [number, number] | null,
): BatchGradients {
  let terms: BatchGradients["terms"] = [];
  let hidden: boolean[] = [];
  const { grads, numbers } = tf.tidy(() => {
    const kept: tf.Tensor1D[] = [];
    const { grads } = valueAndGradients((current) => {
      const predictions = forward(current, spec, inputs, { dropoutSeed });
      const losses = totalLoss(config, predicted, predictions, targets);
      terms = losses.terms.map(({ loss, field }) => ({ loss, field }));
      hidden = losses.mse.map((value) => value !== null);
      const perField = [...losses.mse, ...losses.spread].filter((value) => value !== null);
      // kept, since the recording ends with a scope of its own
      kept.push(
        tf.keep(tf.stack([losses.total, ...losses.terms.map(({ value }) => value), ...perField]) as tf.Tensor1D),
      );
      return losses.total;
    }, params);
    return { grads, numbers: kept[0] };
  });
  return { grads, numbers, terms, hidden };
}

/**
 * One optimiser step over `batches` (one, or `grad_accumulation` of them, whose gradients are averaged).
 * The tensors of `state` that the new state does not hold are released; the batches stay the caller's.
 *
 * @throws AtmorepError `failed` if a loss or the gradients are not finite, naming the step, the terms, the fields and
 *   the tensors with bad values; `state` then is as it was
 */
export async function trainStep(
  model: StepModel,
  state: TrainState,
  batches: readonly StepBatch[],
  rates: StepRates,
): Promise<{ state: TrainState; result: StepResult }> {
  const { config, predicted } = model;
  const parts = batches.map((batch, k) => batchGradients(model, state.params, batch, rates.dropoutSeeds?.[k] ?? null));
  const { grads, scale, numbers } = combine(parts, config);
  try {
    const [gradientNorm, ...values] = await numbers.data();
    const result = readResult(parts, values, gradientNorm);
    if (!resultIsFinite(result)) {
      const names = {
        fields: config.fields.map(([name]) => name),
        predicted: predicted.map(({ field }) => field.name),
      };
      const found = await findNonFinite({ terms: result.terms, batches, names, params: state.params, grads });
      throw nonFiniteError(rates.step, found);
    }
    const next = nextState(config, state, grads, scale, rates.learningRate);
    releaseFormer(state, next);
    return { state: next, result };
  } finally {
    tf.dispose([scale, numbers, ...Object.values(grads)]);
    for (const part of parts) tf.dispose([part.numbers, ...Object.values(part.grads)]);
  }
}

/** The sum of the batches' gradients, the factor that averages and clips it, and all numbers behind its norm. */
function combine(
  parts: readonly BatchGradients[],
  { grad_clip }: RunConfig,
): { grads: Params; scale: tf.Scalar; numbers: tf.Tensor1D } {
  return tf.tidy(() => {
    const grads = parts.map((part) => part.grads).reduce(addGradients);
    const norm = tf.div(globalNorm(grads), parts.length) as tf.Scalar;
    const scale = tf.div(clipScale(norm, grad_clip), parts.length) as tf.Scalar;
    const numbers = tf.concat([tf.reshape(norm, [1]), ...parts.map((part) => part.numbers)]) as tf.Tensor1D;
    return { grads, scale, numbers };
  });
}

/** AdamW and the moving average. Pure; parameters without gradient are shared with the former state. */
function nextState(
  config: RunConfig,
  { params, optimizer, ema }: TrainState,
  grads: Params,
  scale: tf.Scalar,
  learningRate: number,
): TrainState {
  const updates = optimizer.updates + 1;
  const options = { weightDecay: config.weight_decay };
  const next = tf.tidy(() => {
    const rates = adamwRates(learningRate, updates, options);
    const { params: p, state } = adamwUpdate(params, grads, optimizer, rates, scale, options);
    return { p, m: state.m, v: state.v, ema: ema ? emaUpdate(ema, p, config.ema_decay ?? 0) : {} };
  });
  return { params: next.p, optimizer: { m: next.m, v: next.v, updates }, ema: ema && next.ema };
}
