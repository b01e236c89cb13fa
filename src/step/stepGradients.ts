/** Gradients and numbers over the batches of a step. */
import * as tf from "@tensorflow/tfjs-core";
import type { StepBatch } from "../batches/tensors.js";
import type { RunConfig } from "../config/types.js";
import type { Gradients, Seed } from "../engine/engine.js";
import { globalNorm } from "../engine/kernels/index.js";
import { tidied } from "../engine/tree.js";
import type { Params } from "../model/types.js";
import { type BatchGradients, batchGradients, type StepContext } from "./batchGradients.js";
import { addGradients, clipScale } from "./gradients.js";
import { padBatch, tokenCounts } from "./pad.js";
import { preparedFor } from "./prepared.js";
import type { StepNumbers } from "./stepNumbers.js";

/** The sum of gradients over batches, with the factor `scale` that averages and clips it. */
export interface NormedGradients extends Gradients {
  grads: Params;
  /** of the averaged gradients, before clipping */
  norm: tf.Scalar;
}

export interface StepGradients extends NormedGradients {
  /** of each batch */
  numbers: StepNumbers[];
}

/**
 * Gradients over the batches of a step; of one batch as one call where the engine compiles.
 * @returns tensors that `disposeGradients` releases
 */
export async function stepGradients(
  context: StepContext,
  params: Params,
  batches: readonly StepBatch[],
  seeds: readonly Seed[] | null,
): Promise<StepGradients> {
  const { model } = context;
  const prepared = preparedFor(context, "train_step", ({ engine }, label) =>
    engine.prepare(
      label,
      ({ params, batch }: { params: Params; batch: StepBatch }, seed) =>
        summedUp([batchGradients(model, params, batch, seed)], model.config),
      {
        pad({ params, batch: given }, sizes) {
          const { batch, release } = padBatch(given, tokenCounts(model, given.inputs), sizes);
          return { inputs: { params, batch }, release };
        },
      },
    ),
  );
  const parts: StepGradients[] = [];
  for (const [k, batch] of batches.entries()) parts.push(await prepared.call({ params, batch }, seeds?.[k]));
  if (parts.length === 1) return parts[0];
  // the norms of single batches are of no use
  tf.dispose(parts.flatMap(({ scale, norm }) => [scale, norm]));
  const all = summedUp(
    parts.map(({ grads, numbers: [numbers] }) => ({ grads, numbers })),
    model.config,
  );
  const kept = new Set(Object.values(all.grads));
  for (const { grads } of parts) tf.dispose(Object.values(grads).filter((gradient) => !kept.has(gradient)));
  return all;
}

function summedUp(parts: readonly BatchGradients[], config: RunConfig): StepGradients {
  const normed = tidied(() =>
    normedGradients(parts.map(({ grads }) => grads).reduce(addGradients), parts.length, config),
  );
  return { ...normed, numbers: parts.map(({ numbers }) => numbers) };
}

/** @param grads sum over `batches` */
export function normedGradients(grads: Params, batches: number, { grad_clip }: RunConfig): NormedGradients {
  const norm = tf.div(globalNorm(Object.values(grads)), batches) as tf.Scalar;
  return { grads, norm, scale: tf.div(clipScale(norm, grad_clip), batches) as tf.Scalar };
}

/** Releases every tensor. */
export function disposeGradients({ grads, scale, norm, numbers }: StepGradients): void {
  tf.dispose([scale, norm, ...Object.values(grads), ...numbers.map(({ values }) => values)]);
}
