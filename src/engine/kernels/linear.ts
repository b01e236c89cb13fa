/** Linear layers. */
import * as tf from "@tensorflow/tfjs-core";
import { FUSED, hasKernel, runFused, withGradient } from "./fused.js";

/**
 * `x W^T + b`.
 *
 * @param x [R, i]
 * @param weight [o, i], as PyTorch keeps it
 * @param bias [o]
 * @returns [R, o]
 */
export function linear(x: tf.Tensor, weight: tf.Tensor, bias?: tf.Tensor | null): tf.Tensor {
  if (bias && hasKernel(FUSED.linear)) {
    return withGradient([x, weight, bias], ([x, weight, bias]) => ({
      value: runFused(FUSED.linear, { x, weight, bias })[0],
      keep: [x, weight],
      grad: (dy, [x, weight]) => runFused(FUSED.linearGrad, { x, weight, dy }),
    }));
  }
  if (hasKernel(FUSED.weightGrad)) return withOwnGradient(x, weight, bias ?? null);
  const product = tf.matMul(x as tf.Tensor2D, weight as tf.Tensor2D, false, true);
  return bias ? tf.add(product, bias) : product;
}

/** The gradients of weight and bias come from one kernel. */
function withOwnGradient(x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor | null): tf.Tensor {
  return withGradient(bias ? [x, weight, bias] : [x, weight], ([x, weight, bias]) => {
    const product = tf.matMul(x as tf.Tensor2D, weight as tf.Tensor2D, false, true);
    return {
      value: bias ? tf.add(product, bias) : product,
      keep: [x, weight],
      grad: (dy, [x, weight]) => {
        const [dWeight, dBias] = runFused(FUSED.weightGrad, { x, dy });
        const dx = tf.matMul(dy as tf.Tensor2D, weight as tf.Tensor2D);
        return bias ? [dx, dWeight, dBias] : [dx, dWeight];
      },
    };
  });
}
