/** Loss and gradients of one batch as pure functions of tensors, which an engine can trace. */
import * as tf from "@tensorflow/tfjs-core";
import type { StepBatch } from "../batches/tensors.js";
import { predictedFields } from "../config/fields.js";
import type { PredictedField, RunConfig } from "../config/types.js";
import { totalLoss } from "../losses/total.js";
import { forward } from "../model/forward.js";
import { type ModelSpec, modelSpec } from "../model/spec.js";
import type { Params } from "../model/types.js";
import { frozenNames } from "./freeze.js";
import { addGradients, clipScale, globalNorm, valueAndGradients } from "./gradients.js";

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

/** What the numbers of a batch stand for. */
export interface NumberNames {
  /** loss and field of each term */
  terms: { loss: string; field: string }[];
  /** per predicted field: has it hidden tokens */
  hidden: boolean[];
}

/** Gradients of the total on one batch, and its numbers. */
export interface BatchGradients extends NumberNames {
  grads: Params;
  /** total, the terms, then mse and spread of each predicted field that has hidden tokens */
  numbers: tf.Tensor1D;
}

/** Gradients over the batches of a step, what they are multiplied by, and what is read. */
export interface StepGradients {
  /** sum over the batches */
  grads: Params;
  /** averages over the batches and clips */
  scale: tf.Scalar;
  /** norm of the averaged gradients, then the numbers of each batch */
  numbers: tf.Tensor1D;
}

/**
 * Forward, losses and backward on one batch. Pure; reads nothing.
 *
 * @param lanes as in `forward`
 * @returns tensors that the caller disposes
 */
export function batchGradients(
  { config, spec, predicted }: StepModel,
  params: Params,
  { inputs, targets }: StepBatch,
  dropoutSeed: readonly [number, number] | null,
  lanes = 1,
): BatchGradients {
  let terms: BatchGradients["terms"] = [];
  let hidden: boolean[] = [];
  const { grads, numbers } = tf.tidy(() => {
    const kept: tf.Tensor1D[] = [];
    const frozen = frozenNames(config.freeze, Object.keys(params));
    const free = Object.fromEntries(Object.entries(params).filter(([name]) => !frozen.has(name)));
    const { grads } = valueAndGradients((current) => {
      const predictions = forward({ ...params, ...current }, spec, inputs, { dropoutSeed, lanes });
      const losses = totalLoss(config, predicted, predictions, targets);
      terms = losses.terms.map(({ loss, field }) => ({ loss, field }));
      hidden = losses.mse.map((value) => value !== null);
      const perField = [...losses.mse, ...losses.spread].filter((value) => value !== null);
      // kept, since the recording ends with a scope of its own
      kept.push(
        tf.keep(tf.stack([losses.total, ...losses.terms.map(({ value }) => value), ...perField]) as tf.Tensor1D),
      );
      return losses.total;
    }, free);
    return { grads, numbers: kept[0] };
  });
  return { grads, numbers, terms, hidden };
}

/** The norm of the gradients averaged over `batches`, and the factor that averages and clips their sum. */
export function averageAndClip(
  grads: Params,
  batches: number,
  { grad_clip }: RunConfig,
): { norm: tf.Scalar; scale: tf.Scalar } {
  const norm = tf.div(globalNorm(grads), batches) as tf.Scalar;
  return { norm, scale: tf.div(clipScale(norm, grad_clip), batches) as tf.Scalar };
}

/** The sum of the batches' gradients, the factor that averages and clips it, and all numbers behind its norm. */
export function combine(parts: readonly Pick<BatchGradients, "grads" | "numbers">[], config: RunConfig): StepGradients {
  return tf.tidy(() => {
    const grads = parts.map((part) => part.grads).reduce(addGradients);
    const { norm, scale } = averageAndClip(grads, parts.length, config);
    const numbers = tf.concat([tf.reshape(norm, [1]), ...parts.map((part) => part.numbers)]) as tf.Tensor1D;
    return { grads, scale, numbers };
  });
}
