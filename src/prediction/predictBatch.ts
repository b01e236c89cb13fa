/** Predictions of one batch and their error, for validation and evaluation. */
import * as tf from "@tensorflow/tfjs-core";
import type { StepBatch } from "../batches/tensors.js";
import { mse } from "../losses/squared.js";
import type { FieldTarget } from "../losses/total.js";
import type { Params, Prediction } from "../model/types.js";
import { predictions } from "../step/predict.js";
import type { StepContext } from "../step/step.js";

/** A predicted field's predictions as plain arrays. */
export interface PlainPrediction {
  field: string;
  M: number;
  E: number;
  D: number;
  /** [M, D] */
  mean: Float32Array;
  /** [M, D] */
  std: Float32Array;
  /** [M, E, D]; null if not asked for */
  ens: Float32Array | null;
}

export interface BatchPrediction {
  /** mean squared error of the ensemble mean over valid points, per predicted field; null if no hidden point counts */
  mse: (number | null)[];
  predictions: PlainPrediction[];
}

/**
 * Forward without dropout, one call where the engine compiles. Every tensor it makes is released.
 *
 * @param options.members also read the members (default false)
 */
export async function predictBatch(
  context: StepContext,
  params: Params,
  batch: StepBatch,
  { members = false }: { members?: boolean } = {},
): Promise<BatchPrediction> {
  const found = await predictions(context, params, batch.inputs);
  const { predicted } = context.model;
  const { targets } = batch;
  const counts = await Promise.all(targets.map(countsAnything));
  const errors = found.map(({ mean }, p) => (counts[p] ? tf.tidy(() => mse({ ...targets[p], mean })) : null));
  try {
    return {
      mse: await Promise.all(errors.map(async (error) => error && (await error.data())[0])),
      predictions: await Promise.all(
        found.map((prediction, p) =>
          toPlainPrediction(predicted[p].field.name, prediction, targets[p].empty ?? false, members),
        ),
      ),
    };
  } finally {
    for (const { mean, std, ens } of found) tf.dispose([mean, std, ens]);
    for (const error of errors) error?.dispose();
  }
}

/** False if every hidden point is filled or missing: a mean over nothing must not pass for an error of 0. */
async function countsAnything({ empty, valid }: FieldTarget): Promise<boolean> {
  if (empty) return false;
  return !valid || (await valid.data()).some((value) => value > 0);
}

async function toPlainPrediction(
  field: string,
  { mean, std, ens }: Prediction,
  empty: boolean,
  members: boolean,
): Promise<PlainPrediction> {
  const read = async (tensor: tf.Tensor) => (empty ? new Float32Array(0) : Float32Array.from(await tensor.data()));
  const [M, E, D] = ens.shape;
  const values = { mean: await read(mean), std: await read(std), ens: members ? await read(ens) : null };
  return { field, M: empty ? 0 : M, E, D, ...values };
}
