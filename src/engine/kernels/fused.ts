/** Kernels of our own that an engine may have in place of a chain of TensorFlow.js operations. */
import * as tf from "@tensorflow/tfjs-core";

/** Names under which an engine registers them, with their inputs and outputs. */
export const FUSED = {
  /** x -> y */
  gelu: "AtmorepGelu",
  /** x, dy -> dx */
  geluGrad: "AtmorepGeluGrad",
  /** x, gamma?, beta? -> y, mean [rows], scale [rows] (1/std) */
  layerNorm: "AtmorepLayerNorm",
  /** x, mean, scale, dy, gamma? -> dx, dgamma, dbeta (the last two with gamma only) */
  layerNormGrad: "AtmorepLayerNormGrad",
  /** q, k, v -> o */
  attention: "AtmorepAttention",
  /** q, k, v, o, dy -> dq, dk, dv */
  attentionGrad: "AtmorepAttentionGrad",
  /**
   * x0, ... -> o, statistics: queries, keys and values from columns of one to three tensors, weights of their norms
   * last, and `rows` if only some ask; attributes as `headAttention` gives them
   */
  headAttention: "AtmorepHeadAttention",
  /** x0, ..., o, dy, statistics -> gradients of x0, ... */
  headAttentionGrad: "AtmorepHeadAttentionGrad",
  /** x, weight, bias -> y */
  linear: "AtmorepLinear",
  /** x, weight, dy -> dx, dweight, dbias */
  linearGrad: "AtmorepLinearGrad",
  /** ens [M, E, D] -> moments [2, M, D] */
  moments: "AtmorepMoments",
  /** ens, moments, dy -> dens */
  momentsGrad: "AtmorepMomentsGrad",
  /** ens, target, weights -> sums [M] */
  squares: "AtmorepSquares",
  /** ens, target, weights, dy [] -> dens */
  squaresGrad: "AtmorepSquaresGrad",
  /** a [m, k], b, bias? -> a b + bias; attribute `turned`: b is [n, k], not [k, n] */
  product: "AtmorepProduct",
  /** x, dy -> dweight, dbias of a linear layer */
  weightGrad: "AtmorepWeightGrad",
  /** x, -> x times the mask; attributes: rate, seed, `before`: numbers of the stream that precede */
  dropout: "AtmorepDropout",
  /** -> 0 or 1 / (1 - rate); attributes: shape, rate, seed */
  dropoutMask: "AtmorepDropoutMask",
  /** x0, ... -> their common Euclidean norm [] */
  norm: "AtmorepNorm",
  /**
   * rates [3], scale [], x0, ... (parameters, gradients, first and second moments) -> new parameters and moments;
   * attributes: the constants of `AdamwConstants`
   */
  adamw: "AtmorepAdamw",
  /** -> numbers uniform in [0, 1); attributes: shape, seed */
  uniform: "StatelessUniform",
} as const;

/** True if the current backend has the kernel. */
export const hasKernel = (name: string): boolean => tf.getKernel(name, tf.getBackend()) !== undefined;

/** Runs it. */
export function runFused(name: string, inputs: Record<string, tf.Tensor>, attrs: tf.NamedAttrMap = {}): tf.Tensor[] {
  const result = tf.engine().runKernel(name, inputs, attrs) as tf.Tensor | tf.Tensor[];
  return Array.isArray(result) ? result : [result];
}

/** A function with a gradient of its own; a typed door to `tf.customGrad`. */
export function withGradient(
  inputs: tf.Tensor[],
  run: (inputs: tf.Tensor[]) => {
    value: tf.Tensor;
    keep: tf.Tensor[];
    grad: (dy: tf.Tensor, kept: tf.Tensor[]) => tf.Tensor[];
  },
): tf.Tensor {
  return tf.customGrad((...args) => {
    const save = args.at(-1) as unknown as tf.GradSaveFunc;
    const { value, keep, grad } = run(args.slice(0, -1) as tf.Tensor[]);
    save(keep);
    return { value, gradFunc: (dy: tf.Tensor, kept: tf.Tensor[]) => grad(dy, kept) };
  })(...inputs);
}
