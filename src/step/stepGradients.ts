/** Gradients and numbers of one batch, as one call where the engine compiles. */
import * as tf from "@tensorflow/tfjs-core";
import type { StepBatch } from "../batches/tensors.js";
import type { Gradients, Prepared, Seed } from "../engine/engine.js";
import { globalNorm } from "../engine/kernels/index.js";
import { tidied } from "../engine/tree.js";
import type { Params } from "../model/types.js";
import { type BatchGradients, batchGradients, type StepContext, type StepModel } from "./batchGradients.js";
import { clipScale } from "./gradients.js";
import { padBatch, tokenCounts } from "./pad.js";
import { preparedFor } from "./prepared.js";

/** What is prepared to compute a batch. */
interface BatchInputs {
  params: Params;
  batch: StepBatch;
}

/** Gradients of one batch that is the whole step, with the factor `scale` that clips them. */
export interface StepGradients extends BatchGradients, Gradients {
  grads: Params;
  /** before clipping */
  norm: tf.Scalar;
}

/**
 * Gradients of a step of one batch.
 * @returns tensors that `disposeGradients` releases
 */
export function stepGradients(
  context: StepContext,
  params: Params,
  batch: StepBatch,
  seed: Seed | null,
): Promise<StepGradients> {
  const prepared = prepare(context, "train_step", (model, inputs, dropout) =>
    tidied(() => {
      const { grads, numbers } = batchGradients(model, inputs.params, inputs.batch, dropout);
      const norm = globalNorm(Object.values(grads));
      return { grads, numbers, norm, scale: clipScale(norm, model.config.grad_clip) };
    }),
  );
  return prepared.call({ params, batch }, seed);
}

/**
 * Gradients of one batch of several.
 * @returns tensors that the caller disposes
 */
export function partGradients(
  context: StepContext,
  params: Params,
  batch: StepBatch,
  seed: Seed | null,
): Promise<BatchGradients> {
  const prepared = prepare(context, "train_part", (model, inputs, dropout) =>
    batchGradients(model, inputs.params, inputs.batch, dropout),
  );
  return prepared.call({ params, batch }, seed);
}

function prepare<O>(
  context: StepContext,
  name: string,
  compute: (model: StepModel, inputs: BatchInputs, seed: Seed | null) => O,
): Prepared<BatchInputs, O> {
  const { model } = context;
  return preparedFor(context, name, ({ engine }, label) =>
    engine.prepare(label, (inputs: BatchInputs, seed) => compute(model, inputs, seed), {
      pad({ params, batch: given }, sizes) {
        const { batch, release } = padBatch(given, tokenCounts(model, given.inputs), sizes);
        return { inputs: { params, batch }, release };
      },
    }),
  );
}

/**
 * The sum of two records of gradients; a name may be in one only.
 * @param a, b are used up
 */
export async function addGradients(context: StepContext, a: Params, b: Params): Promise<Params> {
  const prepared = preparedFor(context, "add_gradients", ({ engine }, label) =>
    engine.prepare(label, (both: { a: Params; b: Params }) => {
      const sum: Params = { ...both.a };
      for (const [name, other] of Object.entries(both.b)) sum[name] = sum[name] ? tf.add(sum[name], other) : other;
      return sum;
    }),
  );
  const sum = await prepared.call({ a, b });
  tf.dispose([...Object.values(a), ...Object.values(b)]);
  return sum;
}

/** Releases every tensor. */
export function disposeGradients({ grads, scale, norm, numbers }: StepGradients): void {
  tf.dispose([scale, norm, ...Object.values(grads), numbers.values]);
}
