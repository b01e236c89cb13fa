/** Gradients of operations that move elements without changing them. */
import * as tf from "@tensorflow/tfjs-core";
import { listOf, oneInput, type Rule, type Rules, reduceTo } from "./rule.js";

/** Which elements of a padded tensor were there before. */
const unpad: Rule = {
  inputs: ["x"],
  grad: (dy, [x], { paddings }) => ({
    x: () =>
      tf.slice(
        dy,
        (paddings as [number, number][]).map(([before]) => before),
        x.shape,
      ),
  }),
};

/** Adds the gradients of an element that was gathered several times. */
export function gatherGrad(
  dy: tf.Tensor,
  x: tf.Tensor,
  indices: tf.Tensor,
  axis: number,
  batchDims: number,
): tf.Tensor {
  const outer = x.shape.slice(batchDims, axis);
  const size = x.shape[axis];
  const inner = x.shape.slice(axis + 1);
  const batch = tf.util.sizeFromShape(x.shape.slice(0, batchDims));
  const each = indices.size / batch;
  const count = (shape: number[]) => tf.util.sizeFromShape(shape);
  // every row of the gathered axis by itself: [batch, outer, each, inner] with the number of its row in x
  const rows = tf.reshape(tf.transpose(tf.reshape(dy, [batch, count(outer), each, count(inner)]), [0, 2, 1, 3]), [
    batch * each,
    count(outer) * count(inner),
  ]);
  const starts = tf.mul(tf.range(0, batch, 1, "int32"), tf.scalar(size, "int32"));
  const places = tf.add(tf.reshape(indices, [batch, each]), tf.reshape(starts, [batch, 1]));
  const sums = tf.unsortedSegmentSum(rows, tf.reshape(places, [batch * each]) as tf.Tensor1D, batch * size);
  const back = tf.transpose(tf.reshape(sums, [batch, size, count(outer), count(inner)]), [0, 2, 1, 3]);
  return tf.reshape(back, x.shape);
}

export const SHAPES: Rules = {
  [tf.Identity]: { grad: (dy) => ({ x: () => tf.clone(dy) }) },
  [tf.Cast]: { grad: (dy) => ({ x: () => tf.clone(dy) }) },
  [tf.Reshape]: oneInput(["x"], (dy, x) => tf.reshape(dy, x.shape)),
  [tf.ExpandDims]: {
    inputs: ["input"],
    grad: (dy, [x]) => ({ input: () => tf.reshape(dy, x.shape) }),
  },
  [tf.Transpose]: {
    grad: (dy, _, { perm }) => ({
      x: () => {
        const inverse: number[] = [];
        for (const [i, axis] of (perm as number[]).entries()) inverse[axis] = i;
        return tf.transpose(dy, inverse);
      },
    }),
  },
  [tf.Concat]: {
    all: true,
    grad: (dy, inputs, { axis }) => {
      const at = tf.util.parseAxisParam(axis as number, inputs[0].shape)[0];
      let begin = 0;
      return Object.fromEntries(
        inputs.map((input, i) => {
          const start = dy.shape.map((_, k) => (k === at ? begin : 0));
          begin += input.shape[at];
          return [i, () => tf.slice(dy, start, input.shape)];
        }),
      );
    },
  },
  [tf.SplitV]: {
    grad: (dy, _, { axis }) => ({ x: () => tf.concat(listOf(dy), axis as number) }),
  },
  [tf.Slice]: {
    inputs: ["x"],
    grad: (dy, [x], { begin, size }) => {
      const [starts] = tf.slice_util.parseSliceParams(x, begin as number[], size as number[]);
      const paddings = starts.map((start, i): [number, number] => [start, x.shape[i] - start - dy.shape[i]]);
      return { x: () => tf.pad(dy, paddings) };
    },
  },
  [tf.Pack]: {
    all: true,
    grad: (dy, _, { axis }) => {
      const parts = tf.unstack(dy, axis as number);
      return Object.fromEntries(parts.map((part, i) => [i, () => part]));
    },
  },
  [tf.Unpack]: {
    grad: (dy, _, { axis }) => ({ value: () => tf.stack(listOf(dy), axis as number) }),
  },
  [tf.Tile]: {
    inputs: ["x"],
    grad: (dy, [x], { reps }) => ({
      x: () => {
        const shape = x.shape.flatMap((size, i) => [(reps as number[])[i], size]);
        return tf.reshape(
          tf.sum(
            tf.reshape(dy, shape),
            x.shape.map((_, i) => 2 * i),
          ),
          x.shape,
        );
      },
    }),
  },
  [tf.GatherV2]: {
    inputs: ["x", "indices"],
    grad: (dy, [x, indices], { axis, batchDims }) => ({
      x: () => {
        const along = tf.util.parseAxisParam(axis as number, x.shape)[0];
        if (along !== 0 || indices.rank !== 1) return gatherGrad(dy, x, indices, along, (batchDims as number) ?? 0);
        return tf.unsortedSegmentSum(dy, indices as tf.Tensor1D, x.shape[0]);
      },
      indices: () => tf.zerosLike(indices),
    }),
  },
  [tf.PadV2]: unpad,
  [tf.MirrorPad]: unpad,
  [tf.Reverse]: {
    grad: (dy, _, { dims }) => ({ x: () => tf.reverse(dy, tf.util.parseAxisParam(dims as number[], dy.shape)) }),
  },
  [tf.BroadcastTo]: {
    grad: (dy, _, { inputShape }) => ({ x: () => reduceTo(dy, inputShape as number[]) }),
  },
  [tf.OneHot]: { inputs: ["indices"], grad: (_, [indices]) => ({ indices: () => tf.zeros(indices.shape) }) },
  [tf.SpaceToBatchND]: {
    grad: (dy, _, { blockShape, paddings }) => ({
      x: () => tf.batchToSpaceND(dy, blockShape as number[], paddings as number[][]),
    }),
  },
  [tf.BatchToSpaceND]: {
    grad: (dy, _, { blockShape, crops }) => ({
      x: () => tf.spaceToBatchND(dy, blockShape as number[], crops as number[][]),
    }),
  },
};
