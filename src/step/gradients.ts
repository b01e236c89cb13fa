/** Gradients of a scalar by a record of parameters, and what is done to them before the update. */
import { add, div, engine, minimum, type Scalar, scalar, type Tensor } from "@tensorflow/tfjs-core";
import type { Params } from "../model/types.js";

/** Keeps the norm off zero, as PyTorch's `clip_grad_norm_` does. */
const CLIP_EPSILON = 1e-6;

/**
 * Value and gradients of `f`, a function of the parameters.
 *
 * @returns gradients by name; a parameter that `f` does not use has none
 */
export function valueAndGradients(f: (params: Params) => Scalar, params: Params): { value: Scalar; grads: Params } {
  const names = Object.keys(params);
  const found = engine().gradients(
    () => f(params),
    names.map((name) => params[name]),
    null as unknown as Tensor,
    true,
  );
  const grads: Params = {};
  for (const [i, name] of names.entries()) {
    const gradient = found.grads[i] as Tensor | undefined;
    if (gradient) grads[name] = gradient;
  }
  return { value: found.value as Scalar, grads };
}

/**
 * Factor that brings gradients of norm `norm` to at most `clip`.
 *
 * @param clip `grad_clip`; null: 1
 */
export function clipScale(norm: Scalar, clip: number | null | undefined): Scalar {
  if (clip === null || clip === undefined) return scalar(1);
  return minimum(div(clip, add(norm, CLIP_EPSILON)), 1) as Scalar;
}

/** The same of a norm that was read. */
export function clipFactor(norm: number, clip: number | null | undefined): number {
  return clip === null || clip === undefined ? 1 : Math.min(1, clip / (norm + CLIP_EPSILON));
}
