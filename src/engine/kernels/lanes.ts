/**
 * Side by side: the network says where samples or rows do not depend on each other, and these helpers cut there, into as
 * many groups as the engine's schedule has lanes for. What comes out is the same, and so are dropout's masks.
 */
import * as tf from "@tensorflow/tfjs-core";
import { mapTensors, tensorsIn, withTensors } from "../tree.js";
import { type Lane, WHOLE } from "./dropout.js";
import { currentSchedule } from "./schedule.js";

/** A batch or one of the groups it is cut into; the network passes it on and need not look inside. */
export interface Part {
  /** its place among equal groups of rows, for dropout */
  readonly lane: Lane;
  /** groups into which it can still be cut; 1: it stays whole */
  readonly lanes: number;
  /** groups behind what `rowsApart` joined, so that the next that treats rows one by one need not wait for all of them */
  readonly joined: WeakMap<tf.Tensor, tf.Tensor[]>;
}

/** A whole batch, to be cut into as many groups as the engine has lanes for. */
export const wholeBatch = (): Part => uncut(currentSchedule()?.lanes ?? 1);

/** A whole batch that stays whole. */
export const uncut = (lanes = 1): Part => ({ lane: WHOLE, lanes, joined: new WeakMap() });

/** The same part where a backward pass computes again: groups within are unknown to the tape outside. */
export const computedAgain = (part: Part): Part => ({ ...part, joined: new WeakMap() });

/**
 * `fn`, which treats samples one by one, on groups of samples side by side. Of a number of samples that lanes do not
 * divide, rows are cut instead, by `rowsApart` inside of `fn`.
 *
 * @param inputs a tree of tensors whose first axis is that of the samples
 * @param fn is given a group's part, its inputs and how many samples those are
 * @returns what `fn` returns, a tree of tensors whose first axis goes through the samples, of all of them
 */
export function samplesApart<I, O>(part: Part, inputs: I, fn: (part: Part, inputs: I, samples: number) => O): O {
  const { lanes } = part;
  const [{ shape }] = tensorsIn(inputs);
  const samples = shape[0];
  if (lanes === 1 || samples % lanes !== 0) return fn(part, inputs, samples);
  const groups = tensorsIn(inputs).map((tensor) => tf.split(tensor, lanes));
  const results = Array.from({ length: lanes }, (_, index) => {
    const own = withTensors(
      inputs,
      groups.map((group) => group[index]),
    );
    return fn({ ...part, lane: { index, lanes }, lanes: 1 }, own, samples / lanes);
  });
  const parts = results.map(tensorsIn);
  let at = 0;
  return mapTensors(results[0], () => {
    const i = at++;
    return tf.concat(parts.map((tensors) => tensors[i]));
  }) as O;
}

/**
 * `fn`, which treats rows one by one, on groups of rows side by side: for batches of which nothing else would keep two
 * threads busy.
 *
 * @param xs [R, ...] each
 * @returns [R, ...]
 */
export function rowsApart(part: Part, xs: tf.Tensor[], fn: (part: Part, xs: tf.Tensor[]) => tf.Tensor): tf.Tensor {
  const { lanes, joined } = part;
  if (lanes === 1 || xs[0].shape[0] % lanes !== 0) return fn(part, xs);
  const groups = xs.map((x) => joined.get(x) ?? tf.split(x, lanes));
  const parts = Array.from({ length: lanes }, (_, index) =>
    fn(
      { ...part, lane: { index, lanes }, lanes: 1 },
      groups.map((group) => group[index]),
    ),
  );
  const result = tf.concat(parts);
  joined.set(result, parts);
  return result;
}

/** Groups of heads for `attention`: two a lane, so that a lane that comes late finds something to do. */
export const headGroups = ({ lanes }: Part): number => (lanes === 1 ? 1 : 2 * lanes);
