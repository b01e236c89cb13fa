/** Gradients of sums, extremes, products and all that goes along axes; of products of matrices. */
import * as tf from "@tensorflow/tfjs-core";
import { cast, kept, listOf, noSlope, type Rule, type Rules } from "./rule.js";
import { gatherGrad } from "./shapes.js";

/** Expands a reduced gradient back to the shape before the reduction. */
const expand = (dy: tf.Tensor, shape: number[], axis: number | number[]): tf.Tensor =>
  tf.mul(kept(dy, shape, tf.util.parseAxisParam(axis, shape)), tf.ones(shape));

/** The axes of an operation, all if it names none. */
const axesOf = (axis: unknown, { shape }: tf.Tensor): number[] =>
  tf.util.parseAxisParam((axis ?? shape.map((_, i) => i)) as number[], shape);

/** Every element that is the largest (smallest) has the gradient; tf.max and tf.min call their axes differently. */
const extreme: Rule = {
  inputs: ["x"],
  outputs: [true],
  grad: (dy, [x, y], { reductionIndices, axis }) => ({
    x: () => {
      const axes = axesOf(reductionIndices ?? axis, x);
      return tf.mul(kept(dy, x.shape, axes), cast(tf.equal(x, kept(y, x.shape, axes))));
    },
  }),
};

/** Each element's is the product of all others: of those before it times those behind it, so that zeros do no harm. */
function productGrad(dy: tf.Tensor, x: tf.Tensor, axes: number[]): tf.Tensor {
  const order = [...x.shape.keys()].filter((axis) => !axes.includes(axis)).concat(axes);
  const last = tf.transpose(x, order);
  const rows = tf.reshape(last, [dy.size, x.size / dy.size]);
  const others = tf.mul(tf.cumprod(rows, 1, true), tf.cumprod(rows, 1, true, true));
  const inverse = order.map((_, i) => order.indexOf(i));
  return tf.transpose(tf.reshape(tf.mul(others, tf.reshape(dy, [dy.size, 1])), last.shape), inverse);
}

export const REDUCTIONS: Rules = {
  [tf.Sum]: {
    inputs: ["x"],
    grad: (dy, [x], { axis }) => ({ x: () => expand(dy, x.shape, axis as number[]) }),
  },
  [tf.Mean]: {
    inputs: ["x"],
    grad: (dy, [x], { axis }) => ({
      x: () => {
        const axes = tf.util.parseAxisParam(axis as number[], x.shape);
        const count = axes.reduce((product, i) => product * x.shape[i], 1);
        return expand(tf.div(dy, count), x.shape, axes);
      },
    }),
  },
  [tf.Softmax]: {
    outputs: [true],
    grad: (dy, [y]) => ({
      logits: () => {
        const weighted = tf.mul(dy, y);
        return tf.sub(weighted, tf.mul(tf.sum(weighted, -1, true), y));
      },
    }),
  },
  [tf.LogSoftmax]: {
    outputs: [true],
    grad: (dy, [y], { axis }) => ({
      logits: () => tf.sub(dy, tf.mul(tf.sum(dy, axis as number, true), tf.exp(y))),
    }),
  },
  [tf.Max]: extreme,
  [tf.Min]: extreme,
  [tf.Prod]: {
    inputs: ["x"],
    grad: (dy, [x], { axis }) => ({ x: () => productGrad(dy, x, axesOf(axis, x)) }),
  },
  [tf.Cumsum]: {
    grad: (dy, _, { axis, exclusive, reverse }) => ({
      x: () => tf.cumsum(dy, axis as number, Boolean(exclusive), !reverse),
    }),
  },
  [tf.TopK]: {
    inputs: ["x"],
    outputs: [false, true],
    grad: (dy, [x, indices]) => ({ x: () => gatherGrad(listOf(dy)[0], x, indices, x.rank - 1, x.rank - 1) }),
  },
  [tf.ArgMax]: noSlope,
  [tf.ArgMin]: noSlope,
  [tf.UnsortedSegmentSum]: {
    inputs: ["segmentIds"],
    grad: (dy, [segmentIds]) => ({
      x: () => {
        // numbers below zero name no segment
        const rows = tf.gather(dy, tf.maximum(segmentIds, tf.scalar(0, "int32")));
        const counts = cast(tf.greaterEqual(segmentIds, tf.scalar(0, "int32")));
        return tf.mul(rows, tf.reshape(counts, [...segmentIds.shape, ...dy.shape.slice(1).map(() => 1)]));
      },
    }),
  },
  [tf.BatchMatMul]: {
    inputs: ["a", "b"],
    grad: (dy, [a, b], { transposeA, transposeB }) => ({
      a: () => (transposeA ? tf.matMul(b, dy, Boolean(transposeB), true) : tf.matMul(dy, b, false, !transposeB)),
      b: () => (transposeB ? tf.matMul(dy, a, true, Boolean(transposeA)) : tf.matMul(a, dy, !transposeA, false)),
    }),
  },
};
