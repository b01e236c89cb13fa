/** Kernels of ours on the native engine, in place of chains of TensorFlow's operations. */
import * as tf from "@tensorflow/tfjs-core";
import { checkArguments } from "../kernels/arguments.js";
import { FUSED } from "../kernels/fused.js";
import { LAYER_NORM_EPSILON } from "../kernels/layerNorm.js";
import { LEAST_SIDE } from "../kernels/linear.js";
import type { Jit } from "../llvm/jit.js";
import { BACKEND, type Tensorflow } from "../tensorflow/index.js";
import { attentionKernel, attentionScratch } from "./attention.js";
import { attentionGradKernel, attentionGradScratch } from "./attentionGrad.js";
import { attentionParameters, TENSORS, type Variant } from "./attentionLayout.js";
import type { Parts } from "./bfloat16.js";
import { dropoutKernel, dropoutParameters } from "./dropout.js";
import { momentsGradKernel, momentsKernel, squaresGradKernel, squaresKernel } from "./ensemble.js";
import { geluGradKernel, geluKernel } from "./gelu.js";
import { layerNormGradKernel, layerNormKernel } from "./layerNorm.js";
import { type Kernels, openKernels } from "./operations.js";
import {
  type ProductShape,
  type ProductVariant,
  productKernel,
  productParameters,
  productScratch,
} from "./splitProduct.js";
import { weightGradKernel, weightGradParameters, weightGradScratch } from "./weightGrad.js";

interface Call {
  inputs: Record<string, tf.TensorInfo>;
  attrs: Record<string, unknown>;
}
type KernelFunction = (call: Call) => tf.TensorInfo | tf.TensorInfo[];

const opened = new WeakMap<Tensorflow, Kernels>();

/** The kernels that are registered for an engine, or null. */
export const jitKernels = (tensorflow: Tensorflow): Kernels | null => opened.get(tensorflow) ?? null;

/**
 * Registers every kernel; call it once the backend is there.
 * @param parts of bfloat16 that stand for each number in large products, by the matrix unit; null: float32 products
 */
export function registerJitKernels(tensorflow: Tensorflow, jit: Jit, parts: Parts | null): void {
  const kernels = openKernels(tensorflow, jit);
  opened.set(tensorflow, kernels);
  const table: Record<string, KernelFunction> = {
    ...pointwise(kernels),
    ...norms(kernels),
    ...attention(kernels),
    [FUSED.dropout]: dropout(kernels),
    ...(parts ? { [FUSED.product]: product(kernels, parts) } : {}),
    [FUSED.weightGrad]: weightGrad(kernels, parts),
    ...ensemble(kernels),
  };
  for (const [kernelName, run] of Object.entries(table)) {
    if (tf.getKernel(kernelName, BACKEND)) tf.unregisterKernel(kernelName, BACKEND);
    tf.registerKernel({
      kernelName,
      backendName: BACKEND,
      kernelFunc: ({ inputs, attrs = {} }) => {
        checkArguments(kernelName, inputs as Call["inputs"], attrs);
        return run({ inputs: inputs as Call["inputs"], attrs: { ...attrs } });
      },
    });
  }
}

const size = ({ shape }: tf.TensorInfo): number => tf.util.sizeFromShape(shape);

function pointwise(kernels: Kernels): Record<string, KernelFunction> {
  const { target } = kernels.jit;
  return {
    [FUSED.gelu]({ inputs: { x } }) {
      const source = (name: string) => geluKernel(target, name);
      return kernels.run("Gelu", source, [x], { outputs: [x.shape], parameters: [size(x)] });
    },
    [FUSED.geluGrad]({ inputs: { x, dy } }) {
      const source = (name: string) => geluGradKernel(target, name);
      return kernels.run("GeluGrad", source, [x, dy], { outputs: [x.shape], parameters: [size(x)] });
    },
  };
}

function norms(kernels: Kernels): Record<string, KernelFunction> {
  const { target } = kernels.jit;
  return {
    [FUSED.layerNorm]({ inputs: { x, gamma, beta } }) {
      const affine = gamma !== undefined;
      const given = affine ? [x, gamma, beta] : [x];
      const d = x.shape.at(-1)!;
      const rows = size(x) / d;
      const source = (name: string) => layerNormKernel(target, name, affine, LAYER_NORM_EPSILON);
      const plan = { outputs: [x.shape, [rows], [rows]], parameters: [rows, d] };
      return kernels.run(affine ? "LayerNormAffine" : "LayerNorm", source, given, plan);
    },
    [FUSED.layerNormGrad]({ inputs: { x, mean, scale, dy, gamma } }) {
      const affine = gamma !== undefined;
      const given = [x, mean, scale, dy, ...(affine ? [gamma] : [])];
      const d = x.shape.at(-1)!;
      const outputs = affine ? [x.shape, [d], [d]] : [x.shape];
      const source = (name: string) => layerNormGradKernel(target, name, affine);
      const plan = { outputs, parameters: [size(x) / d, d] };
      return kernels.run(affine ? "LayerNormAffineGrad" : "LayerNormGrad", source, given, plan);
    },
  };
}

/** What a call of `headAttention` asks for. */
function headsOf({ inputs, attrs }: Call) {
  const given = attrs as Record<"batch" | "heads" | "first" | "end", number> &
    Record<"sources" | "parts" | "part", number[]>;
  const { batch, heads, first, end, sources, parts, part } = given;
  const count = Math.max(...sources) + 1;
  const tensors = Array.from({ length: count }, (_, i) => inputs[`x${i}`]);
  const [q, k] = sources.map((i) => tensors[i]);
  const [t, s, w] = [q.shape[0] / batch, k.shape[0] / batch, q.shape[1] / heads / parts[0]];
  const variant: Variant = {
    w,
    norms: { queries: attrs.normQueries as boolean, keys: attrs.normKeys as boolean },
    weighted: attrs.weighted as boolean,
    chosen: inputs.rows !== undefined,
  };
  const chosen = inputs.rows?.shape[0] ?? 0;
  const flags = [variant.norms.queries, variant.norms.keys, variant.weighted, variant.chosen];
  const label = [w, ...flags.map(Number)].join("_");
  const [qParts, kParts, vParts] = parts;
  const [qPart, kPart, vPart] = part;
  const [qSource, kSource, vSource] = sources;
  return {
    ...{ t, s, w, variant, label, chosen },
    tensors: sources.map((i) => tensors[i]),
    count,
    rows: variant.chosen ? [inputs.rows] : [],
    weights: variant.weighted ? [inputs[`x${count}`]] : [],
    output: [variant.chosen ? chosen : q.shape[0], (end - first) * w],
    statistics: variant.chosen ? [2, end - first, chosen] : [2, batch * (end - first), t],
    /** shapes of the gradients; the kernel always has three */
    gradients: [0, 1, 2].map((i) =>
      tensors[i] ? [tensors[i].shape[0], (tensors[i].shape[1] * (end - first)) / heads] : [0],
    ),
    parameters: attentionParameters({
      ...{ batch, heads, t, s, first, end },
      ...{ qParts, qPart, kParts, kPart, vParts, vPart, chosen },
      ...{ qSource, kSource, vSource },
    }),
  };
}

function attention(kernels: Kernels): Record<string, KernelFunction> {
  const { target } = kernels.jit;
  return {
    [FUSED.headAttention](call) {
      const { tensors, rows, weights, s, w, variant, label, chosen, output, statistics, parameters } = headsOf(call);
      const given = [...tensors, ...rows, ...weights];
      const source = (name: string) => attentionKernel(target, name, variant);
      const scratch = attentionScratch(target, w, s, chosen);
      return kernels.run(`Attention${label}`, source, given, { outputs: [output, statistics], scratch, parameters });
    },
    [FUSED.headAttentionGrad](call) {
      const { o, dy, statistics } = call.inputs;
      const { tensors, count, rows, weights, t, w, variant, label, chosen, gradients, parameters } = headsOf(call);
      const given = [...tensors, ...rows, o, dy, statistics, ...weights];
      const outputs = [...gradients, ...weights.map(({ shape }) => shape)];
      const source = (name: string) => attentionGradKernel(target, name, variant);
      const plan = { outputs, scratch: attentionGradScratch(target, w, t, chosen), parameters };
      const results = kernels.run(`AttentionGrad${label}`, source, given, plan);
      tf.dispose(results.slice(count, TENSORS));
      return [...results.slice(0, count), ...results.slice(TENSORS)];
    },
  };
}

function ensemble(kernels: Kernels): Record<string, KernelFunction> {
  const { target } = kernels.jit;
  type Source = (target: typeof kernels.jit.target, name: string) => string;
  const run = (label: string, kernel: Source, given: tf.TensorInfo[], output: (shape: number[]) => number[]) => {
    const { shape } = given[0];
    const source = (name: string) => kernel(target, name);
    return kernels.run(label, source, given, { outputs: [output(shape)], parameters: shape });
  };
  const whole = (shape: number[]) => shape;
  return {
    [FUSED.moments]: ({ inputs: { ens } }) => run("Moments", momentsKernel, [ens], ([M, , D]) => [2, M, D]),
    [FUSED.momentsGrad]: ({ inputs: { ens, moments, dy } }) =>
      run("MomentsGrad", momentsGradKernel, [ens, moments, dy], whole),
    [FUSED.squares]: ({ inputs: { ens, target, weights } }) =>
      run("Squares", squaresKernel, [ens, target, weights], ([M]) => [M]),
    [FUSED.squaresGrad]: ({ inputs: { ens, target, weights, dy } }) =>
      run("SquaresGrad", squaresGradKernel, [ens, target, weights, dy], whole),
  };
}

/** Products of large matrices, by the matrix unit. */
function product(kernels: Kernels, parts: Parts): KernelFunction {
  return ({ inputs: { a, b, bias }, attrs }) => {
    const turnedB = attrs.turned as boolean;
    const shape = { m: a.shape[0], n: b.shape[turnedB ? 0 : 1], terms: a.shape[1] };
    const variant = {
      turnedA: false,
      turnedB,
      bias: bias !== undefined,
      sums: false,
      parts,
    };
    return runProduct(kernels, variant, bias ? [a, b, bias] : [a, b], shape);
  };
}

function runProduct(
  kernels: Kernels,
  variant: ProductVariant,
  given: tf.TensorInfo[],
  shape: ProductShape,
): tf.Tensor[] {
  const { turnedA, turnedB, bias, sums, parts } = variant;
  const label = [turnedA, turnedB, bias, sums, parts].map(Number).join("");
  const source = (name: string) => productKernel(kernels.jit.target, name, variant);
  return kernels.run(`Product${label}`, source, given, {
    outputs: [[shape.m, shape.n], ...(sums ? [[shape.m]] : [])],
    scratch: productScratch(shape, variant.parts),
    parameters: productParameters(shape, variant.parts),
  });
}

function weightGrad(kernels: Kernels, parts: Parts | null): KernelFunction {
  const { target } = kernels.jit;
  return ({ inputs: { x, dy } }) => {
    const shape = { rows: x.shape[0], inputs: x.shape[1], outputs: dy.shape[1] };
    if (parts && Math.min(...Object.values(shape)) >= LEAST_SIDE) {
      const variant = {
        turnedA: true,
        turnedB: false,
        bias: false,
        sums: true,
        parts,
      };
      return runProduct(kernels, variant, [dy, x], { m: shape.outputs, n: shape.inputs, terms: shape.rows });
    }
    const source = (name: string) => weightGradKernel(target, name);
    return kernels.run("WeightGrad", source, [x, dy], {
      outputs: [[shape.outputs, shape.inputs], [shape.outputs]],
      scratch: weightGradScratch(target, shape),
      parameters: weightGradParameters(shape),
    });
  };
}

function dropout(kernels: Kernels): KernelFunction {
  const { target } = kernels.jit;
  return ({ inputs: { x }, attrs }) => {
    const { rate, seed, before } = attrs as { rate: number; seed: [number, number]; before: number };
    const source = (name: string) => dropoutKernel(target, name);
    const parameters = dropoutParameters({ elements: size(x), rate, before });
    return kernels.run("Dropout", source, [x], { outputs: [x.shape], parameters }, seed);
  };
}
