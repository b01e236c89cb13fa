/** Layer normalisation over the last axis (Ba et al. 2016), epsilon as in PyTorch. */
import * as tf from "@tensorflow/tfjs-core";
import { FUSED, hasKernel, runFused, withGradient } from "./fused.js";

export const LAYER_NORM_EPSILON = 1e-5;

/**
 * `(x - mean) / sqrt(var + 1e-5)`, then `* gamma + beta` where they are given (both or none).
 *
 * @param x [..., d]
 * @param gamma [d]
 * @param beta [d]
 */
export function layerNorm(x: tf.Tensor, gamma?: tf.Tensor | null, beta?: tf.Tensor | null): tf.Tensor {
  if (!hasKernel(FUSED.layerNorm)) {
    const y = normalise(x);
    return gamma && beta ? tf.add(tf.mul(y, gamma), beta) : y;
  }
  if (gamma && beta) {
    return withGradient([x, gamma, beta], ([x, gamma, beta]) => {
      const [value, mean, scale] = runFused(FUSED.layerNorm, { x, gamma, beta });
      return {
        value,
        keep: [x, gamma, mean, scale],
        grad: (dy, [x, gamma, mean, scale]) => runFused(FUSED.layerNormGrad, { x, gamma, mean, scale, dy }),
      };
    });
  }
  return withGradient([x], ([x]) => {
    const [value, mean, scale] = runFused(FUSED.layerNorm, { x });
    return {
      value,
      keep: [x, mean, scale],
      grad: (dy, [x, mean, scale]) => runFused(FUSED.layerNormGrad, { x, mean, scale, dy }),
    };
  });
}

/** Layer norm without weights, in plain operations. */
const normalise = (x: tf.Tensor): tf.Tensor =>
  withGradient([x], ([x]) => {
    const centred = tf.sub(x, tf.mean(x, -1, true));
    const scale = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), LAYER_NORM_EPSILON));
    const value = tf.mul(centred, scale);
    return {
      value,
      keep: [value, scale],
      grad: (dy, [y, scale]) => {
        const along = tf.mul(y, tf.mean(tf.mul(dy, y), -1, true));
        return [tf.mul(scale, tf.sub(tf.sub(dy, tf.mean(dy, -1, true)), along))];
      },
    };
  });
