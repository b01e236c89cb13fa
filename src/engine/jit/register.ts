/** Kernels of ours on the native engine, in place of chains of TensorFlow's operations. */
import * as tf from "@tensorflow/tfjs-core";
import { FUSED } from "../kernels/fused.js";
import { LAYER_NORM_EPSILON } from "../kernels/layerNorm.js";
import type { Jit } from "../llvm/jit.js";
import { BACKEND, type Tensorflow } from "../tensorflow/index.js";
import { attentionKernel, attentionScratch } from "./attention.js";
import { attentionGradKernel, attentionGradScratch } from "./attentionGrad.js";
import { attentionParameters } from "./attentionLayout.js";
import { dropoutKernel } from "./dropout.js";
import { geluGradKernel, geluKernel } from "./gelu.js";
import { layerNormGradKernel, layerNormKernel } from "./layerNorm.js";
import { type Kernels, openKernels } from "./operations.js";

interface Call {
  inputs: Record<string, tf.TensorInfo>;
  attrs: Record<string, unknown>;
}
type KernelFunction = (call: Call) => tf.TensorInfo | tf.TensorInfo[];

/** Registers every kernel; call it once the backend is there. */
export function registerJitKernels(tensorflow: Tensorflow, jit: Jit): void {
  const kernels = openKernels(tensorflow, jit);
  const table: Record<string, KernelFunction> = {
    ...pointwise(kernels),
    ...norms(kernels),
    ...attention(kernels),
    [FUSED.dropout]: dropout(kernels),
  };
  for (const [kernelName, run] of Object.entries(table)) {
    if (tf.getKernel(kernelName, BACKEND)) tf.unregisterKernel(kernelName, BACKEND);
    tf.registerKernel({
      kernelName,
      backendName: BACKEND,
      kernelFunc: ({ inputs, attrs }) => run({ inputs: inputs as Call["inputs"], attrs: { ...attrs } }),
    });
  }
}

/** `count` tensors of float32 */
const floats = (count: number): "float"[] => Array.from({ length: count }, () => "float");

const size = ({ shape }: tf.TensorInfo): number => tf.util.sizeFromShape(shape);

function pointwise(kernels: Kernels): Record<string, KernelFunction> {
  const { target } = kernels.jit;
  return {
    [FUSED.gelu]({ inputs: { x } }) {
      const source = { inputs: floats(1), outputs: 1, source: (name: string) => geluKernel(target, name) };
      return kernels.run("Gelu", source, [x], { outputs: [x.shape], parameters: [size(x)] });
    },
    [FUSED.geluGrad]({ inputs: { x, dy } }) {
      const source = { inputs: floats(2), outputs: 1, source: (name: string) => geluGradKernel(target, name) };
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
      const source = {
        inputs: floats(given.length),
        outputs: 3,
        source: (name: string) => layerNormKernel(target, name, affine, LAYER_NORM_EPSILON),
      };
      const plan = { outputs: [x.shape, [rows], [rows]], parameters: [rows, d] };
      return kernels.run(affine ? "LayerNormAffine" : "LayerNorm", source, given, plan);
    },
    [FUSED.layerNormGrad]({ inputs: { x, mean, scale, dy, gamma } }) {
      const affine = gamma !== undefined;
      const given = [x, mean, scale, dy, ...(affine ? [gamma] : [])];
      const d = x.shape.at(-1)!;
      const outputs = affine ? [x.shape, [d], [d]] : [x.shape];
      const source = {
        inputs: floats(given.length),
        outputs: outputs.length,
        source: (name: string) => layerNormGradKernel(target, name, affine),
      };
      const plan = { outputs, parameters: [size(x) / d, d] };
      return kernels.run(affine ? "LayerNormAffineGrad" : "LayerNormGrad", source, given, plan);
    },
  };
}

/** The heads `first` to `end` of q [batch*T, heads*w] and k, v [batch*S, heads*w]. */
function headsOf({ inputs: { q, k }, attrs }: Call) {
  const { batch, heads, first, end } = attrs as Record<"batch" | "heads" | "first" | "end", number>;
  const [t, s, w] = [q.shape[0] / batch, k.shape[0] / batch, q.shape[1] / heads];
  const rows = (tensor: tf.TensorInfo) => [tensor.shape[0], (end - first) * w];
  const parameters = attentionParameters({ batch, heads, t, s, first, end });
  return { t, s, w, rows, parameters, statistics: [2, batch * (end - first), t] };
}

function attention(kernels: Kernels): Record<string, KernelFunction> {
  const { target } = kernels.jit;
  return {
    [FUSED.attention](call) {
      const { q, k, v } = call.inputs;
      const { s, w, rows, parameters, statistics } = headsOf(call);
      const source = { inputs: floats(3), outputs: 2, source: (name: string) => attentionKernel(target, name, w) };
      const scratch = attentionScratch(target, w, s);
      return kernels.run(`Attention${w}`, source, [q, k, v], { outputs: [rows(q), statistics], scratch, parameters });
    },
    [FUSED.attentionGrad](call) {
      const { q, k, v, o, dy, statistics } = call.inputs;
      const { t, w, rows, parameters } = headsOf(call);
      const source = { inputs: floats(6), outputs: 3, source: (name: string) => attentionGradKernel(target, name, w) };
      const plan = { outputs: [q, k, v].map(rows), scratch: attentionGradScratch(target, w, t), parameters };
      return kernels.run(`AttentionGrad${w}`, source, [q, k, v, o, dy, statistics], plan);
    },
  };
}

const bits = new DataView(new ArrayBuffer(4));

/** bits of a float32 */
function floatBits(value: number): number {
  bits.setFloat32(0, value);
  return bits.getInt32(0);
}

function dropout(kernels: Kernels): KernelFunction {
  const { target } = kernels.jit;
  return ({ inputs: { x }, attrs }) => {
    const { rate, seed, before } = attrs as { rate: number; seed: [number, number]; before: number };
    const source = {
      inputs: ["float", "int64"] as const,
      outputs: 1,
      source: (name: string) => dropoutKernel(target, name),
    };
    const smallest = Math.ceil(Math.fround(rate) * 2 ** 23);
    const parameters = [size(x), before / 4, smallest, floatBits(1 / (1 - rate))];
    return kernels.run("Dropout", source, [x], { outputs: [x.shape], parameters }, seed);
  };
}
