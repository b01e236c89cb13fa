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
  return withGradient(bias ? [x, weight, bias] : [x, weight], ([x, weight, bias]) => ({
    value: product(x, weight, true, bias),
    keep: [x, weight],
    grad: (dy, [x, weight]) => {
      const [dWeight, dBias] = runFused(FUSED.weightGrad, { x, dy });
      const dx = product(dy, weight, false);
      return bias ? [dx, dWeight, dBias] : [dx, dWeight];
    },
  }));
}

/** Rows, columns or terms below which the tiles of `FUSED.product` would stand half empty. */
export const LEAST_SIDE = 64;

/** `a b + bias`; `turned`: of b's transpose. */
function product(a: tf.Tensor, b: tf.Tensor, turned: boolean, bias?: tf.Tensor): tf.Tensor {
  const large = Math.min(a.shape[0], ...b.shape) >= LEAST_SIDE;
  if (large && hasKernel(FUSED.product)) {
    return runFused(FUSED.product, bias ? { a, b, bias } : { a, b }, { turned })[0];
  }
  const result = tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D, false, turned);
  return bias ? tf.add(result, bias) : result;
}
