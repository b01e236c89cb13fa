/** Bringing batches to few shapes, since a compiled step is made for one. */
import * as tf from "@tensorflow/tfjs-core";
import type { StepBatch } from "../batches/tensors.js";
import type { NetworkInputs } from "../model/types.js";
import type { StepModel } from "./batchGradients.js";

/** Tokens of each predicted field in a batch, over samples and levels. */
export function tokenCounts({ spec }: Pick<StepModel, "spec">, { fields }: NetworkInputs): number[] {
  return spec.predicted.map((f) => {
    const [B, L, N] = fields[f].tokens.shape;
    return B * L * N;
  });
}

/**
 * The batch with as many hidden tokens in every predicted field as the next of `sizes` equal shares of its tokens. The
 * added rows repeat the first token and do not count: `valid` is 0 there.
 *
 * @param tokens of each predicted field
 * @returns a batch with new tensors where something changed; `release` disposes those
 */
export function padBatch(
  { inputs: given, targets }: StepBatch,
  tokens: readonly number[],
  sizes: number,
): { batch: StepBatch; release(): void } {
  const { inputs, release } = padInputs(given, tokens, sizes);
  const made: tf.Tensor[] = [];
  const keep = <T extends tf.Tensor>(tensor: T): T => {
    made.push(tensor);
    return tensor;
  };
  const padded = targets.map((target, p) => {
    const [M, D] = target.target.shape as [number, number];
    const more = inputs.rows[p].shape[0] - M;
    const below = (tensor: tf.Tensor) => (more === 0 ? tensor : keep(withRows(tensor, more)));
    const valid = target.valid ?? null;
    return {
      ...target,
      target: below(target.target),
      area: target.area ? below(target.area) : target.area,
      valid: valid ? below(valid) : keep(tf.tidy(() => tf.concat([tf.ones([M, D]), tf.zeros([more, D])]))),
    };
  });
  return {
    batch: { inputs, targets: padded },
    release() {
      tf.dispose(made);
      release();
    },
  };
}

/** The same of what the network sees of a batch: predictions of the added rows stand behind the others. */
export function padInputs(
  inputs: NetworkInputs,
  tokens: readonly number[],
  sizes: number,
): { inputs: NetworkInputs; release(): void } {
  const counts = inputs.rows.map(({ shape: [M] }) => M);
  const share = Math.min(sizes, Math.max(...counts.map((M, p) => Math.ceil((M * sizes) / tokens[p]))));
  const made: tf.Tensor[] = [];
  const rows = inputs.rows.map((own, p) => {
    const more = Math.max(0, Math.ceil((tokens[p] * share) / sizes) - counts[p]);
    if (more === 0) return own;
    const padded = withRows(own, more);
    made.push(padded);
    return padded;
  });
  return { inputs: { ...inputs, rows }, release: () => tf.dispose(made) };
}

/** With rows of zeros below. */
const withRows = (tensor: tf.Tensor, more: number): tf.Tensor =>
  tf.pad(tensor, tensor.shape.map((_, axis) => (axis === 0 ? [0, more] : [0, 0])) as [number, number][]);
