/** Weighted means. The engines add accurately: the WASM engine replaces its backend's naive float32 sum. */
import {
  customGrad,
  div,
  type GradSaveFunc,
  maximum,
  mul,
  ones,
  type Scalar,
  sum,
  type Tensor,
} from "@tensorflow/tfjs-core";

/** Divides in place of a sum of weights of 0, so that a field without any valid point gives 0 and no gradient. */
const LEAST_WEIGHT = 1e-12;

/**
 * sum(x * w) / sum(w), the weights broadcast to the shape of `x`; without weights the plain mean.
 * The gradient w / sum(w) goes to `x` only.
 *
 * @param x any shape, at least one element
 * @param weights a shape that broadcasts to that of `x`, not negative; null: all 1
 */
export function weightedMean(x: Tensor, weights: Tensor | null): Scalar {
  const mean = customGrad((...args: (Tensor | GradSaveFunc)[]) => {
    const [values, save] = args as [Tensor, GradSaveFunc];
    const share = weights ? shares(weights, values.size / weights.size) : null;
    save(share ? [share] : []);
    return {
      value: share ? sum(mul(values, share)) : div(sum(values), values.size),
      gradFunc: (dy: Tensor, saved: Tensor[]) =>
        // a product with ones: broadcasting by tiles takes a hundred times as long on WASM
        mul(ones(x.shape), share ? mul(saved[0], dy) : div(dy, x.size)),
    };
  });
  return mean(x) as Scalar;
}

/** Each weight over `repeats` times their sum. */
export function shares(weights: Tensor, repeats: number): Tensor {
  return div(weights, maximum(mul(sum(weights), repeats), LEAST_WEIGHT));
}
