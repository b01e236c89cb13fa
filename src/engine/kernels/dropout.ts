/** Dropout (Srivastava et al. 2014) with a mask that is a function of its seed alone. */
import * as tf from "@tensorflow/tfjs-core";
import { BLOCK, statelessUniform } from "../../random/philox.js";
import { FUSED, hasKernel, runFused, withGradient } from "./fused.js";

/** One of equal groups of rows that are computed side by side. */
export interface Lane {
  index: number;
  /** how many there are */
  lanes: number;
}

/** All rows at once. */
export const WHOLE: Lane = { index: 0, lanes: 1 };

/**
 * Zeroes elements with probability `rate` and divides the others by `1 - rate`. Element i is kept if the i-th number
 * of the stateless uniform stream of `seed` is at least `rate`: the same mask on every engine.
 *
 * @param x [rows, ...]
 * @param lane the group of rows that `x` is; its part of the mask of all rows is used
 */
export function dropout(
  x: tf.Tensor,
  rate: number,
  seed: readonly [number, number],
  { index, lanes }: Lane = WHOLE,
): tf.Tensor {
  if (rate === 0) return x;
  const before = index * x.size;
  if (hasKernel(FUSED.dropout) && before % BLOCK === 0) return masked(x, { rate, seed: [...seed], before });
  const shape = [x.shape[0] * lanes, ...x.shape.slice(1)];
  const mask = dropoutMask(shape, rate, seed);
  return tf.mul(x, lanes === 1 ? mask : tf.split(mask, lanes)[index]);
}

/** By a kernel that draws the mask once more in the backward pass instead of keeping it. */
const masked = (x: tf.Tensor, attrs: tf.NamedAttrMap): tf.Tensor =>
  withGradient([x], ([x]) => ({
    value: runFused(FUSED.dropout, { x }, attrs)[0],
    keep: [],
    grad: (dy) => runFused(FUSED.dropout, { x: dy }, attrs),
  }));

/** 0 or 1 / (1 - rate) */
function dropoutMask(shape: number[], rate: number, seed: readonly [number, number]): tf.Tensor {
  if (hasKernel(FUSED.dropoutMask)) return runFused(FUSED.dropoutMask, {}, { shape, rate, seed: [...seed] })[0];
  const keep = Math.fround(1 / (1 - rate));
  if (hasKernel(FUSED.uniform)) {
    const [uniform] = runFused(FUSED.uniform, {}, { shape, seed: [...seed] });
    return tf.mul(tf.cast(tf.greaterEqual(uniform, rate), "float32"), keep);
  }
  const uniform = statelessUniform(tf.util.sizeFromShape(shape), [seed[0], seed[1]]);
  for (let i = 0; i < uniform.length; i++) uniform[i] = uniform[i] >= rate ? keep : 0;
  return tf.tensor(uniform, shape);
}
