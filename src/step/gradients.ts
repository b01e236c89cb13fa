/** Gradients of a scalar by a record of parameters, and what is done to them before the update. */
import {
  add,
  addN,
  div,
  engine,
  minimum,
  type Scalar,
  scalar,
  sqrt,
  square,
  sum,
  type Tensor,
} from "@tensorflow/tfjs-core";
import type { Params } from "../model/types.js";
import { fusedNorm } from "./wasmKernels.js";

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

/** Sum of two records of gradients; a name may be in one only. */
export function addGradients(a: Params, b: Params): Params {
  const sum: Params = { ...a };
  for (const [name, gradient] of Object.entries(b)) sum[name] = sum[name] ? add(sum[name], gradient) : gradient;
  return sum;
}

/** Euclidean norm over all gradients. */
export function globalNorm(grads: Params): Scalar {
  const list = Object.values(grads);
  if (list.length === 0) return scalar(0);
  const composed = () => sqrt(addN(list.map((gradient) => sum(square(gradient)))));
  return fusedNorm(list) ?? (composed() as Scalar);
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
