/** Loss and gradients of one batch as a pure function of tensors, which an engine can prepare. */
import * as tf from "@tensorflow/tfjs-core";
import type { StepBatch } from "../batches/tensors.js";
import { predictedFields } from "../config/fields.js";
import type { PredictedField, RunConfig } from "../config/types.js";
import type { Engine, Seed } from "../engine/engine.js";
import { tidied } from "../engine/tree.js";
import { totalLoss } from "../losses/total.js";
import { forward } from "../model/forward.js";
import { type ModelSpec, modelSpec } from "../model/spec.js";
import type { Params } from "../model/types.js";
import { frozenNames } from "./freeze.js";
import { valueAndGradients } from "./gradients.js";
import { encodeNumbers, type StepNumbers } from "./stepNumbers.js";

/** What stays the same over a run. */
export interface StepModel {
  config: RunConfig;
  spec: ModelSpec;
  predicted: PredictedField[];
}

/** What a step needs: what is computed, and what computes. */
export interface StepContext {
  model: StepModel;
  engine: Engine;
}

export const stepModel = (config: RunConfig): StepModel => ({
  config,
  spec: modelSpec(config),
  predicted: predictedFields(config),
});

/** Gradients of the total on one batch, and its numbers. */
export interface BatchGradients {
  grads: Params;
  numbers: StepNumbers;
}

/**
 * Forward, losses and backward on one batch. Pure; reads nothing.
 *
 * @returns tensors that the caller disposes
 */
export function batchGradients(
  { config, spec, predicted }: StepModel,
  params: Params,
  { inputs, targets }: StepBatch,
  dropoutSeed: Seed | null,
): BatchGradients {
  return tidied(() => {
    const found: StepNumbers[] = [];
    const frozen = frozenNames(config.freeze, Object.keys(params));
    const free = Object.fromEntries(Object.entries(params).filter(([name]) => !frozen.has(name)));
    const { grads } = valueAndGradients((current) => {
      const predictions = forward({ ...params, ...current }, spec, inputs, { dropoutSeed });
      const losses = totalLoss(config, predicted, predictions, targets);
      const numbers = encodeNumbers(losses);
      // the recording ends with a scope of its own
      tf.keep(numbers.values);
      found.push(numbers);
      return losses.total;
    }, free);
    return { grads, numbers: found[0] };
  });
}
