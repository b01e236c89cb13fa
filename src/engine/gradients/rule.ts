/** What the rules for gradients are made of. */
import * as tf from "@tensorflow/tfjs-core";

/** Per input of an operation, how its gradient is computed; only those that are wanted are called. */
export type Named = Record<string, () => tf.Tensor>;

/** One operation's gradient. `saved` are the inputs and outputs that the rule names, in this order. */
export interface Rule {
  /** names of the inputs that it reads */
  inputs?: string[];
  /** of each output, whether it reads it */
  outputs?: boolean[];
  /** the operation takes a list of tensors, and the rule reads them all */
  all?: boolean;
  /** @param dy gradient of the output; of an operation with several outputs their list (see `listOf`) */
  grad: (dy: tf.Tensor, saved: tf.Tensor[], attrs: tf.NamedAttrMap) => Named;
}

export type Rules = Record<string, Rule>;

/** Sums a gradient over the axes along which an operand was broadcast. */
export function reduceTo(dy: tf.Tensor, shape: number[]): tf.Tensor {
  const axes = tf.broadcast_util.getReductionAxes(shape, dy.shape);
  return tf.reshape(axes.length > 0 ? tf.sum(dy, axes) : dy, shape);
}

export const oneInput = (inputs: string[], fn: (dy: tf.Tensor, x: tf.Tensor) => tf.Tensor): Rule => ({
  inputs,
  grad: (dy, [x]) => ({ x: () => fn(dy, x) }),
});

export const fromOutput = (fn: (dy: tf.Tensor, y: tf.Tensor) => tf.Tensor): Rule => ({
  outputs: [true],
  grad: (dy, [y]) => ({ x: () => fn(dy, y) }),
});

export const twoInputs = (
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
export const listOf = (dy: tf.Tensor | tf.Tensor[]): tf.Tensor[] => (Array.isArray(dy) ? dy : [dy]);

export const cast = (x: tf.Tensor) => tf.cast(x, "float32");

/** Expands what was computed over axes back to the shape before, with ones for the axes. */
export function kept(y: tf.Tensor, shape: number[], axes: readonly number[]): tf.Tensor {
  return tf.reshape(
    y,
    shape.map((size, i) => (axes.includes(i) ? 1 : size)),
  );
}

/** An operation of the engine by its name. */
export const run = (name: string, inputs: Record<string, tf.Tensor>, attrs: tf.NamedAttrMap): tf.Tensor =>
  tf.engine().runKernel(name, inputs, attrs) as tf.Tensor;

/** Of what is constant almost everywhere. */
export const noSlope: Rule = { inputs: ["x"], grad: (_, [x]) => ({ x: () => tf.zeros(x.shape) }) };
