/** GELU in its exact form, `x Phi(x)` (Hendrycks and Gimpel 2016). */
import * as tf from "@tensorflow/tfjs-core";

const INVERSE_SQRT_TWO_PI = 0.3989422804014327;

const phi = (x: tf.Tensor): tf.Tensor => tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5);

/** GELU of each element. Keeps only `x` for the backward pass. */
export const gelu = (x: tf.Tensor): tf.Tensor =>
  tf.customGrad((input, save) => {
    const t = input as tf.Tensor;
    (save as tf.GradSaveFunc)([t]);
    return {
      value: tf.mul(t, phi(t)),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [x] = saved;
        const density = tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), INVERSE_SQRT_TWO_PI);
        return tf.mul(dy, tf.add(phi(x), tf.mul(x, density)));
      },
    };
  })(x);
