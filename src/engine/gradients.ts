/**
 * Gradients of the TensorFlow.js operations the project uses. The core package comes without any; its umbrella
 * package, which registers them, would also load every backend.
 */
import * as tf from "@tensorflow/tfjs-core";

type Named = Record<string, () => tf.Tensor>;
type GradFunc = (dy: tf.Tensor, saved: tf.Tensor[], attrs: tf.NamedAttrMap) => Named;

interface Rule {
  inputs?: string[];
  outputs?: boolean[];
  all?: boolean;
  grad: GradFunc;
}

/** Sums a gradient over the axes along which an operand was broadcast. */
function reduceTo(dy: tf.Tensor, shape: number[]): tf.Tensor {
  const axes = tf.broadcast_util.getReductionAxes(shape, dy.shape);
  return tf.reshape(axes.length > 0 ? tf.sum(dy, axes) : dy, shape);
}

const oneInput = (inputs: string[], fn: (dy: tf.Tensor, x: tf.Tensor) => tf.Tensor): Rule => ({
  inputs,
  grad: (dy, [x]) => ({ x: () => fn(dy, x) }),
});
const fromOutput = (fn: (dy: tf.Tensor, y: tf.Tensor) => tf.Tensor): Rule => ({
  outputs: [true],
  grad: (dy, [y]) => ({ x: () => fn(dy, y) }),
});
const twoInputs = (
  fa: (dy: tf.Tensor, a: tf.Tensor, b: tf.Tensor) => tf.Tensor,
  fb: (dy: tf.Tensor, a: tf.Tensor, b: tf.Tensor) => tf.Tensor,
): Rule => ({
  inputs: ["a", "b"],
  grad: (dy, [a, b]) => ({
    a: () => reduceTo(fa(dy, a, b), a.shape),
    b: () => reduceTo(fb(dy, a, b), b.shape),
  }),
});
/** Gradients of an operation with several outputs; with one output it comes by itself. */
const listOf = (dy: tf.Tensor | tf.Tensor[]): tf.Tensor[] => (Array.isArray(dy) ? dy : [dy]);

const cast = (condition: tf.Tensor) => tf.cast(condition, "float32");

/** Expands a reduced gradient back to the shape before the reduction. */
function expand(dy: tf.Tensor, shape: number[], axis: number | number[]): tf.Tensor {
  const axes = tf.util.parseAxisParam(axis, shape);
  const kept = shape.map((size, i) => (axes.includes(i) ? 1 : size));
  return tf.mul(tf.reshape(dy, kept), tf.ones(shape));
}

const RULES: Record<string, Rule> = {
  [tf.Identity]: { grad: (dy) => ({ x: () => tf.clone(dy) }) },
  [tf.Cast]: { grad: (dy) => ({ x: () => tf.clone(dy) }) },
  [tf.Reshape]: oneInput(["x"], (dy, x) => tf.reshape(dy, x.shape)),
  [tf.ExpandDims]: {
    inputs: ["input"],
    grad: (dy, [x]) => ({ input: () => tf.reshape(dy, x.shape) }),
  },
  [tf.Add]: twoInputs(
    (dy) => dy,
    (dy) => dy,
  ),
  [tf.AddN]: {
    all: true,
    grad: (dy, inputs) => Object.fromEntries(inputs.map((_, i) => [i, () => tf.clone(dy)])),
  },
  [tf.Sub]: twoInputs(
    (dy) => dy,
    (dy) => tf.neg(dy),
  ),
  [tf.Multiply]: twoInputs(
    (dy, _, b) => tf.mul(dy, b),
    (dy, a) => tf.mul(dy, a),
  ),
  [tf.RealDiv]: twoInputs(
    (dy, _, b) => tf.div(dy, b),
    (dy, a, b) => tf.neg(tf.div(tf.mul(dy, a), tf.square(b))),
  ),
  [tf.Maximum]: twoInputs(
    (dy, a, b) => tf.mul(dy, cast(tf.greaterEqual(a, b))),
    (dy, a, b) => tf.mul(dy, cast(tf.less(a, b))),
  ),
  [tf.Minimum]: twoInputs(
    (dy, a, b) => tf.mul(dy, cast(tf.lessEqual(a, b))),
    (dy, a, b) => tf.mul(dy, cast(tf.greater(a, b))),
  ),
  [tf.SquaredDifference]: twoInputs(
    (dy, a, b) => tf.mul(dy, tf.mul(2, tf.sub(a, b))),
    (dy, a, b) => tf.mul(dy, tf.mul(2, tf.sub(b, a))),
  ),
  [tf.Neg]: { grad: (dy) => ({ x: () => tf.neg(dy) }) },
  [tf.Square]: oneInput(["x"], (dy, x) => tf.mul(dy, tf.mul(x, 2))),
  [tf.Abs]: oneInput(["x"], (dy, x) => tf.mul(dy, tf.sub(cast(tf.greater(x, 0)), cast(tf.less(x, 0))))),
  [tf.Log]: oneInput(["x"], (dy, x) => tf.div(dy, x)),
  [tf.Log1p]: oneInput(["x"], (dy, x) => tf.div(dy, tf.add(x, 1))),
  [tf.Erf]: oneInput(["x"], (dy, x) => tf.mul(dy, tf.mul(tf.exp(tf.neg(tf.square(x))), 2 / 1.7724538509055159))),
  [tf.Relu]: oneInput(["x"], (dy, x) => tf.mul(dy, cast(tf.greater(x, 0)))),
  [tf.Exp]: fromOutput((dy, y) => tf.mul(dy, y)),
  [tf.Sqrt]: fromOutput((dy, y) => tf.div(dy, tf.mul(y, 2))),
  [tf.Rsqrt]: fromOutput((dy, y) => tf.mul(dy, tf.mul(tf.mul(tf.square(y), y), -0.5))),
  [tf.Reciprocal]: fromOutput((dy, y) => tf.neg(tf.mul(dy, tf.square(y)))),
  [tf.Tanh]: fromOutput((dy, y) => tf.mul(dy, tf.sub(1, tf.square(y)))),
  [tf.Sigmoid]: fromOutput((dy, y) => tf.mul(dy, tf.mul(y, tf.sub(1, y)))),
  [tf.ClipByValue]: {
    inputs: ["x"],
    grad: (dy, [x], { clipValueMin, clipValueMax }) => ({
      x: () =>
        tf.mul(
          dy,
          cast(tf.logicalAnd(tf.greaterEqual(x, clipValueMin as number), tf.lessEqual(x, clipValueMax as number))),
        ),
    }),
  },
  [tf.Select]: {
    inputs: ["condition"],
    grad: (dy, [condition]) => ({
      condition: () => tf.zeros(condition.shape),
      t: () => tf.where(condition, dy, tf.zerosLike(dy)),
      e: () => tf.where(condition, tf.zerosLike(dy), dy),
    }),
  },
  [tf.ZerosLike]: { grad: (dy) => ({ x: () => tf.zerosLike(dy) }) },
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
    grad: (dy, [x, indices], { axis }) => ({
      x: () => {
        if (tf.util.parseAxisParam(axis as number, x.shape)[0] !== 0)
          throw new Error("gather: only axis 0 has a gradient");
        return tf.unsortedSegmentSum(dy, indices as tf.Tensor1D, x.shape[0]);
      },
      indices: () => tf.zerosLike(indices),
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

/** Comparisons are constant almost everywhere. */
for (const name of [tf.Greater, tf.GreaterEqual, tf.Less, tf.LessEqual, tf.Equal, tf.NotEqual, tf.LogicalAnd]) {
  RULES[name] = {
    inputs: ["a", "b"],
    grad: (_, [a, b]) => ({ a: () => tf.zeros(a.shape), b: () => tf.zeros(b.shape) }),
  };
}

/** Registers every rule; calling it again changes nothing. */
export function registerGradients(): void {
  for (const [kernelName, { inputs, outputs, all, grad }] of Object.entries(RULES)) {
    tf.registerGradient({
      kernelName,
      ...(inputs && { inputsToSave: inputs }),
      ...(outputs && { outputsToSave: outputs }),
      ...(all && { saveAllInputs: true }),
      gradFunc: (dy, saved, attrs) => grad(dy as tf.Tensor, saved, attrs),
    });
  }
}
