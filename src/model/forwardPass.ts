/** What every block of one forward pass shares. */
import type * as tf from "@tensorflow/tfjs-core";
import { checkpoint, computedAgain, dropout, linear, type Part, rowsApart } from "../engine/kernels/index.js";
import { derivedSeed } from "../random/index.js";
import type { ModelSpec } from "./spec.js";
import type { AttendedHeads, Params } from "./types.js";

export interface ForwardPass {
  params: Params;
  spec: ModelSpec;
  /** samples in the batch */
  batch: number;
  /** run seed below 2^32 and step; null: no dropout */
  dropoutSeed: readonly [number, number] | null;
  /** what of the batch is computed */
  part: Part;
  /** is shown attention weights, if anybody wants them */
  attended?: (heads: AttendedHeads) => void;
}

/** The linear layer `name`, with its bias if it has one. x [R, i] -> [R, o] */
export function project({ params }: ForwardPass, name: string, x: tf.Tensor): tf.Tensor {
  return linear(x, params[`${name}.weight`], params[`${name}.bias`]);
}

/**
 * The block `name`, a function of its inputs and its own parameters. With `grad_checkpointing` its activations are not
 * kept but computed again in the backward pass.
 */
export function recomputed(
  run: ForwardPass,
  name: string,
  inputs: tf.Tensor[],
  block: (run: ForwardPass, inputs: tf.Tensor[]) => tf.Tensor,
): tf.Tensor {
  // whoever looks at attention weights sees each block once
  if (!run.spec.config.grad_checkpointing || run.attended) return block(run, inputs);
  const names = Object.keys(run.params).filter((key) => key.startsWith(`${name}.`));
  return checkpoint([...inputs, ...names.map((key) => run.params[key])], (given) => {
    const own = Object.fromEntries(names.map((key, i) => [key, given[inputs.length + i]]));
    return block({ ...run, params: own, part: computedAgain(run.part) }, given.slice(0, inputs.length));
  });
}

/**
 * `fn`, which treats rows one by one; an engine may have it in groups of rows.
 *
 * @param xs [R, ...] each
 * @returns [R, ...]
 */
export const byRows = (
  run: ForwardPass,
  xs: tf.Tensor[],
  fn: (run: ForwardPass, xs: tf.Tensor[]) => tf.Tensor,
): tf.Tensor => rowsApart(run.part, xs, (part, xs) => fn({ ...run, part }, xs));

/**
 * Dropout at the place called `site`: each place and step has a mask of its own, drawn for the rows [R, ...] computed
 * there. At the end of a decoder these are the chosen ones, [M, ...] in the order of `NetworkInputs.rows`; the mask of
 * the i-th does not depend on how many follow.
 */
export function drop({ spec, dropoutSeed, part }: ForwardPass, site: string, x: tf.Tensor): tf.Tensor {
  if (dropoutSeed === null || spec.config.dropout_rate === 0) return x;
  const [seed, step] = dropoutSeed;
  const place = derivedSeed(0, site)[1] >>> 11; // 21 bits above the seed's 32: a whole number below 2^53
  return dropout(x, spec.config.dropout_rate, [seed + place * 4294967296, step], part.lane);
}
