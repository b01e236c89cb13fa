/** The norm over many tensors. */
import * as tf from "@tensorflow/tfjs-core";
import { FUSED, hasKernel, runFused } from "./fused.js";

/** Euclidean norm over all elements of all tensors; it has no gradient. */
export function globalNorm(tensors: readonly tf.Tensor[]): tf.Scalar {
  if (tensors.length === 0) return tf.scalar(0);
  if (hasKernel(FUSED.norm)) {
    return runFused(FUSED.norm, Object.fromEntries(tensors.map((tensor, i) => [`x${i}`, tensor])))[0] as tf.Scalar;
  }
  return tf.sqrt(tf.addN(tensors.map((tensor) => tf.sum(tf.square(tensor))))) as tf.Scalar;
}
