/** Dropout (Srivastava et al. 2014) with a mask that is a function of its seed alone. */
import * as tf from "@tensorflow/tfjs-core";
import { statelessUniform } from "../../random/philox.js";
import { FUSED, hasKernel, runFused } from "./fused.js";

/**
 * Zeroes elements with probability `rate` and divides the others by `1 - rate`. Element i is kept if the i-th number
 * of the stateless uniform stream of `seed` is at least `rate`: the same mask on every engine.
 *
 * @param x any shape
 */
export function dropout(x: tf.Tensor, rate: number, seed: readonly [number, number]): tf.Tensor {
  if (rate === 0) return x;
  const keep = Math.fround(1 / (1 - rate));
  if (hasKernel(FUSED.uniform)) {
    const [uniform] = runFused(FUSED.uniform, {}, { shape: x.shape, seed: [...seed] });
    return tf.mul(x, tf.mul(tf.cast(tf.greaterEqual(uniform, rate), "float32"), keep));
  }
  const uniform = statelessUniform(x.size, [seed[0], seed[1]]);
  for (let i = 0; i < uniform.length; i++) uniform[i] = uniform[i] >= rate ? keep : 0;
  return tf.mul(x, tf.tensor(uniform, x.shape));
}
