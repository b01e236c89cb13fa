/**
 * Means that stay accurate on every engine. The WASM backend adds naively in float32 (the mean of a million squares
 * comes out 4e-4 too small), so sums go in stages of at most 64 terms.
 */
import {
  broadcastTo,
  customGrad,
  div,
  type GradSaveFunc,
  maximum,
  mul,
  pad,
  reshape,
  type Scalar,
  sum,
  type Tensor,
} from "@tensorflow/tfjs-core";

const TERMS = 64;

/** Divides in place of a sum of weights of 0, so that a field without any valid point gives 0 and no gradient. */
const LEAST_WEIGHT = 1e-12;

/** Sum of all elements of `x`, in stages; not for differentiation (the means below are). */
export function stagedSum(x: Tensor): Scalar {
  let rest: Tensor = reshape(x, [x.size]);
  while (rest.size > 1) {
    const rows = Math.ceil(rest.size / TERMS);
    const width = rows === 1 ? rest.size : TERMS;
    const missing = rows * width - rest.size;
    const whole = missing === 0 ? rest : pad(rest, [[0, missing]]);
    rest = sum(reshape(whole, [rows, width]), 1);
  }
  return reshape(rest, []) as Scalar;
}

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
    const value = share ? stagedSum(mul(values, share)) : div(stagedSum(values), values.size);
    return {
      value,
      gradFunc: (dy: Tensor, saved: Tensor[]) => {
        const each = share
          ? mul(saved[0], dy)
          : reshape(
              div(dy, x.size),
              x.shape.map(() => 1),
            );
        return broadcastTo(each, x.shape);
      },
    };
  });
  return mean(x) as Scalar;
}

/** Each weight over `repeats` times their sum. */
function shares(weights: Tensor, repeats: number): Tensor {
  return div(weights, maximum(mul(stagedSum(weights), repeats), LEAST_WEIGHT));
}
