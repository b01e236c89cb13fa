/**
 * AdamW (Loshchilov and Hutter 2019): p -= lr wd p; p -= lr / (1 - b1^t) m / (sqrt(v / (1 - b2^t)) + eps).
 * Pure functions on records of tensors.
 */
import {
  add,
  div,
  fill,
  mul,
  reshape,
  type Scalar,
  slice,
  sqrt,
  square,
  sub,
  type Tensor1D,
  tensor1d,
} from "@tensorflow/tfjs-core";
import { pow } from "../math/index.js";
import type { Params } from "../model/types.js";
import { fusedAdamw } from "./wasmKernels.js";

export interface AdamwState {
  /** first moments */
  m: Params;
  /** second moments */
  v: Params;
  /** updates done */
  updates: number;
}

export interface AdamwOptions {
  weightDecay: number;
  beta1?: number;
  beta2?: number;
  eps?: number;
}

/** `AdamwOptions` with every value. */
export type AdamwConstants = Required<AdamwOptions>;

/** The reference's values where none is given. */
export const adamwConstants = (options: AdamwOptions): AdamwConstants => ({
  beta1: 0.9,
  beta2: 0.999,
  eps: 1e-8,
  ...options,
});

/** Moments of 0 for every parameter. */
export function adamwInit(params: Params): AdamwState {
  const none = () => Object.fromEntries(Object.entries(params).map(([name, { shape }]) => [name, fill(shape, 0)]));
  return { m: none(), v: none(), updates: 0 };
}

/**
 * What changes from update to update, as one tensor, so that a traced step is fed it: [lr * wd, lr / (1 - b1^t),
 * sqrt(1 - b2^t)].
 *
 * @param t number of this update, from 1
 */
export function adamwRates(learningRate: number, t: number, options: AdamwOptions): Tensor1D {
  const { weightDecay, beta1, beta2 } = adamwConstants(options);
  return tensor1d([learningRate * weightDecay, learningRate / (1 - pow(beta1, t)), Math.sqrt(1 - pow(beta2, t))]);
}

/**
 * One update of the parameters that have a gradient; the others come back as they are, without decay.
 *
 * @param grads gradients by parameter name
 * @param rates of `adamwRates`
 * @param scale multiplies every gradient
 * @returns new tensors for what changed, the given ones for what did not
 */
export function adamwUpdate(
  params: Params,
  grads: Params,
  state: AdamwState,
  rates: Tensor1D,
  scale: Scalar,
  options: AdamwOptions,
): { params: Params; state: AdamwState } {
  const constants = adamwConstants(options);
  const names = Object.keys(params).filter((name) => grads[name]);
  const lists = [params, grads, state.m, state.v].map((record) => names.map((name) => record[name]));
  const [p, m, v] = fusedAdamw(lists, rates, scale, constants) ?? composedAdamw(lists, rates, scale, constants);
  const replace = (record: Params, updated: Params[string][]): Params => ({
    ...record,
    ...Object.fromEntries(names.map((name, i) => [name, updated[i]])),
  });
  return {
    params: replace(params, p),
    state: { m: replace(state.m, m), v: replace(state.v, v), updates: state.updates + 1 },
  };
}

type Tensors = Params[string][];

function composedAdamw(
  [p, g, m, v]: Tensors[],
  rates: Tensor1D,
  scale: Scalar,
  { beta1, beta2, eps }: AdamwConstants,
): Tensors[] {
  const [decay, stepSize, root] = [0, 1, 2].map((i) => reshape(slice(rates, i, 1), []));
  const updated: Tensors[] = [[], [], []];
  for (const [i, parameter] of p.entries()) {
    const gradient = mul(g[i], scale);
    const first = add(mul(m[i], beta1), mul(gradient, 1 - beta1));
    const second = add(mul(v[i], beta2), mul(square(gradient), 1 - beta2));
    const move = mul(div(first, add(div(sqrt(second), root), eps)), stepSize);
    updated[0].push(sub(sub(parameter, mul(parameter, decay)), move));
    updated[1].push(first);
    updated[2].push(second);
  }
  return updated;
}
