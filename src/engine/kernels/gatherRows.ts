/** Choosing rows. */
import * as tf from "@tensorflow/tfjs-core";

/**
 * Rows of a matrix; the gradients of a row chosen twice are added.
 *
 * @param x [R, d]
 * @param rows int32 [M]
 * @returns [M, d]
 */
export function gatherRows(x: tf.Tensor, rows: tf.Tensor): tf.Tensor {
  return tf.gather(x, rows as tf.Tensor1D, 0);
}
