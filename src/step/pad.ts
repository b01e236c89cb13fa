/** Bringing batches to few shapes, since a compiled step is made for one. */
import * as tf from "@tensorflow/tfjs-core";
import type { StepBatch } from "../batches/tensors.js";

/** Shapes up to that of all tokens hidden: each has a graph of its own, and up to a step of rows is computed in vain. */
const STEPS = 12;

/**
 * The batch with as many hidden tokens in every predicted field as the next twelfth of its tokens. The added rows
 * repeat the first token and do not count: `valid` is 0 there.
 *
 * @returns a batch with new tensors where something changed; `release` disposes those
 */
export function padBatch(
  { inputs, targets }: StepBatch,
  tokens: readonly number[],
): { batch: StepBatch; release(): void } {
  const made: tf.Tensor[] = [];
  const shares = inputs.rows.map(({ shape: [M] }, p) => Math.ceil((M * STEPS) / tokens[p]));
  const share = Math.min(STEPS, Math.max(...shares));
  const keep = <T extends tf.Tensor>(tensor: T): T => {
    made.push(tensor);
    return tensor;
  };
  const rows: tf.Tensor[] = [];
  const padded = targets.map((target, p) => {
    const [M, D] = target.target.shape as [number, number];
    const more = Math.max(0, Math.ceil((tokens[p] * share) / STEPS) - M);
    const below = (tensor: tf.Tensor) =>
      more === 0
        ? tensor
        : keep(tf.pad(tensor, tensor.shape.map((_, axis) => (axis === 0 ? [0, more] : [0, 0])) as [number, number][]));
    const given = target.valid ?? null;
    rows.push(below(inputs.rows[p]));
    const valid = given ? below(given) : keep(tf.tidy(() => tf.concat([tf.ones([M, D]), tf.zeros([more, D])])));
    return { ...target, target: below(target.target), area: target.area ? below(target.area) : target.area, valid };
  });
  return { batch: { inputs: { ...inputs, rows }, targets: padded }, release: () => tf.dispose(made) };
}
