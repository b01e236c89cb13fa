/** Linear layers. */
import * as tf from "@tensorflow/tfjs-core";

/**
 * `x W^T + b`.
 *
 * @param x [R, i]
 * @param weight [o, i], as PyTorch keeps it
 * @param bias [o]
 * @returns [R, o]
 */
export function linear(x: tf.Tensor, weight: tf.Tensor, bias?: tf.Tensor | null): tf.Tensor {
  const product = tf.matMul(x as tf.Tensor2D, weight as tf.Tensor2D, false, true);
  return bias ? tf.add(product, bias) : product;
}
