/**
 * The optimiser and the gradient norm as one kernel each on the WASM backend: loops in JavaScript over its heap. With
 * some eighty parameters the calls of single operations cost more than their arithmetic; and these compute in float64
 * and round once.
 */
import {
  engine,
  getBackend,
  getKernel,
  type KernelFunc,
  registerKernel,
  type Scalar,
  type Tensor,
  type Tensor1D,
  type TensorInfo,
} from "@tensorflow/tfjs-core";
import type { AdamwConstants } from "./adamw.js";

/** The part of the WASM backend used here. */
interface Heap {
  makeOutput(shape: number[], dtype: "float32"): TensorInfo;
  typedArrayFromHeap(tensor: TensorInfo): Float32Array;
}

const ADAMW = "AtmorepAdamw";
const NORM = "AtmorepNorm";

/**
 * New parameters and moments, or null on backends other than WASM.
 *
 * @param lists parameters, gradients, first and second moments, each in the same order
 */
export function fusedAdamw(
  lists: Tensor[][],
  rates: Tensor1D,
  scale: Scalar,
  constants: AdamwConstants,
): Tensor[][] | null {
  if (!ready(ADAMW, adamwKernel)) return null;
  const inputs = { rates, scale, ...named(lists.flat()) };
  const updated = run(ADAMW, inputs, { ...constants }) as Tensor[];
  const n = lists[0].length;
  return [updated.slice(0, n), updated.slice(n, 2 * n), updated.slice(2 * n)];
}

/** Euclidean norm over all elements of all tensors, or null on backends other than WASM. */
export function fusedNorm(tensors: Tensor[]): Scalar | null {
  return ready(NORM, normKernel) ? (run(NORM, named(tensors), {}) as Scalar) : null;
}

const adamwKernel: KernelFunc = ({ inputs, attrs, backend }) => {
  const heap = backend as unknown as Heap;
  const { beta1, beta2, eps } = attrs as unknown as AdamwConstants;
  const lists = numbered(inputs as Record<string, TensorInfo>);
  const n = lists.length / 4;
  // allocating may move the heap, so every output comes before the first view
  const outputs = [0, 1, 2].flatMap(() => lists.slice(0, n).map(({ shape }) => heap.makeOutput(shape, "float32")));
  const view = (tensor: TensorInfo) => heap.typedArrayFromHeap(tensor);
  const [decay, stepSize, root] = view(inputs.rates as TensorInfo);
  const [scale] = view(inputs.scale as TensorInfo);
  for (let k = 0; k < n; k++) {
    const [p, g, m, v] = [0, 1, 2, 3].map((list) => view(lists[list * n + k]));
    const [newP, newM, newV] = [0, 1, 2].map((list) => view(outputs[list * n + k]));
    for (let i = 0; i < p.length; i++) {
      const gradient = g[i] * scale;
      const first = beta1 * m[i] + (1 - beta1) * gradient;
      const second = beta2 * v[i] + (1 - beta2) * gradient * gradient;
      newM[i] = first;
      newV[i] = second;
      newP[i] = p[i] - p[i] * decay - (stepSize * first) / (Math.sqrt(second) / root + eps);
    }
  }
  return outputs;
};

const normKernel: KernelFunc = ({ inputs, backend }) => {
  const heap = backend as unknown as Heap;
  const output = heap.makeOutput([], "float32");
  let total = 0;
  for (const tensor of numbered(inputs as Record<string, TensorInfo>)) {
    const values = heap.typedArrayFromHeap(tensor);
    for (let i = 0; i < values.length; i++) total += values[i] * values[i];
  }
  heap.typedArrayFromHeap(output)[0] = Math.sqrt(total);
  return output;
};

/** True on WASM, where the kernel is registered on first use. */
function ready(kernelName: string, kernelFunc: KernelFunc): boolean {
  if (getBackend() !== "wasm") return false;
  if (!getKernel(kernelName, "wasm")) registerKernel({ kernelName, backendName: "wasm", kernelFunc });
  return true;
}

const named = (tensors: Tensor[]) => Object.fromEntries(tensors.map((tensor, i) => [`x${i}`, tensor]));

function numbered(inputs: Record<string, TensorInfo>): TensorInfo[] {
  const list: TensorInfo[] = [];
  for (let i = 0; inputs[`x${i}`]; i++) list.push(inputs[`x${i}`]);
  return list;
}

const run = (name: string, inputs: Record<string, Tensor>, attrs: Record<string, number>): Tensor | Tensor[] =>
  engine().runKernel(name, inputs, attrs);
