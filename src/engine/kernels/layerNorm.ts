/** Layer normalisation over the last axis (Ba et al. 2016), epsilon as in PyTorch. */
import * as tf from "@tensorflow/tfjs-core";

export const LAYER_NORM_EPSILON = 1e-5;

/**
 * `(x - mean) / sqrt(var + 1e-5)`, then `* gamma + beta` where they are given.
 *
 * @param x [..., d]
 * @param gamma [d]
 * @param beta [d]
 */
export function layerNorm(x: tf.Tensor, gamma?: tf.Tensor | null, beta?: tf.Tensor | null): tf.Tensor {
  let y = normalise(x);
  if (gamma) y = tf.mul(y, gamma);
  return beta ? tf.add(y, beta) : y;
}

const normalise = (x: tf.Tensor): tf.Tensor =>
  tf.customGrad((input, save) => {
    const t = input as tf.Tensor;
    const centred = tf.sub(t, tf.mean(t, -1, true));
    const scale = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), LAYER_NORM_EPSILON));
    const y = tf.mul(centred, scale);
    (save as tf.GradSaveFunc)([y, scale]);
    return {
      value: y,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [y, scale] = saved;
        const along = tf.mul(y, tf.mean(tf.mul(dy, y), -1, true));
        return tf.mul(scale, tf.sub(tf.sub(dy, tf.mean(dy, -1, true)), along));
      },
    };
  })(x);
