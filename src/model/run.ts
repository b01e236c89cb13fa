/** What every block of one forward pass shares. */
import * as tf from "@tensorflow/tfjs-core";
import { checkpoint, dropout, type Lane, linear } from "../engine/kernels/index.js";
import { derivedSeed } from "../random/index.js";
import type { AttendedHeads } from "./attend.js";
import type { ModelSpec } from "./spec.js";
import type { Params } from "./types.js";

export interface Run {
  params: Params;
  spec: ModelSpec;
  /** samples in the batch */
  batch: number;
  /** run seed below 2^32 and step; null: no dropout */
  dropoutSeed: readonly [number, number] | null;
  /** the group of rows that is computed, if there are several */
  lane: Lane;
  /** groups into which `byRows` splits */
  rowLanes: number;
  /** what `byRows` joined, by the result, so that the next that treats rows one by one need not wait for all of them */
  joined: WeakMap<tf.Tensor, tf.Tensor[]>;
  /** is shown attention weights, if anybody wants them */
  attended?: (heads: AttendedHeads) => void;
}

/** The linear layer `name`, with its bias if it has one. x [R, i] -> [R, o] */
export function project({ params }: Run, name: string, x: tf.Tensor): tf.Tensor {
  return linear(x, params[`${name}.weight`], params[`${name}.bias`]);
}

/**
 * The block `name`, a function of its inputs and its own parameters. With `grad_checkpointing` its activations are not
 * kept but computed again in the backward pass.
 */
export function recomputed(
  run: Run,
  name: string,
  inputs: tf.Tensor[],
  block: (run: Run, inputs: tf.Tensor[]) => tf.Tensor,
): tf.Tensor {
  // whoever looks at attention weights sees each block once
  if (!run.spec.config.grad_checkpointing || run.attended) return block(run, inputs);
  const names = Object.keys(run.params).filter((key) => key.startsWith(`${name}.`));
  return checkpoint([...inputs, ...names.map((key) => run.params[key])], (given) => {
    const own = Object.fromEntries(names.map((key, i) => [key, given[inputs.length + i]]));
    // groups of rows within are unknown to the tape outside
    return block({ ...run, params: own, joined: new WeakMap() }, given.slice(0, inputs.length));
  });
}

/**
 * `fn`, which treats rows one by one, on groups of rows side by side: for runs of which nothing else would keep two
 * threads busy.
 *
 * @param xs [R, ...] each
 * @returns [R, ...]
 */
export function byRows(run: Run, xs: tf.Tensor[], fn: (run: Run, xs: tf.Tensor[]) => tf.Tensor): tf.Tensor {
  const { rowLanes: lanes, joined } = run;
  if (lanes === 1 || xs[0].shape[0] % lanes !== 0) return fn(run, xs);
  const groups = xs.map((x) => joined.get(x) ?? tf.split(x, lanes));
  const parts = Array.from({ length: lanes }, (_, index) =>
    fn(
      { ...run, rowLanes: 1, lane: { index, lanes } },
      groups.map((group) => group[index]),
    ),
  );
  const result = tf.concat(parts);
  joined.set(result, parts);
  return result;
}

/**
 * Dropout at the place called `site`: each place and step has a mask of its own, drawn for the rows [R, ...] computed
 * there. At the end of a decoder these are the chosen ones, [M, ...] in the order of `NetworkInputs.rows`; the mask of
 * the i-th does not depend on how many follow.
 */
export function drop({ spec, dropoutSeed, lane }: Run, site: string, x: tf.Tensor): tf.Tensor {
  if (dropoutSeed === null || spec.config.dropout_rate === 0) return x;
  const [seed, step] = dropoutSeed;
  const place = derivedSeed(0, site)[1] >>> 11; // 21 bits above the seed's 32: a whole number below 2^53
  return dropout(x, spec.config.dropout_rate, [seed + place * 4294967296, step], lane);
}
