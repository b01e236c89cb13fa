/**
 * The optimiser and the gradient norm as one kernel each: loops in JavaScript over the backend's heap. With some eighty
 * parameters the calls of single operations cost more than their arithmetic; and these compute in float64 and round once.
 */
import type { TensorInfo } from "@tensorflow/tfjs-core";
import { type AdamwConstants, type AdamwRates, adamwStep } from "../adamw.js";
import { FUSED } from "../kernels/fused.js";
import { type Call, floats, replaceKernel } from "./heap.js";

export function registerAdamw(): void {
  replaceKernel(FUSED.adamw, adamw);
  replaceKernel(FUSED.norm, norm);
}

function adamw({ inputs, attrs, backend }: Call): TensorInfo[] {
  const lists = numbered(inputs);
  const n = lists.length / 4;
  // allocating may move the heap, so every output comes before the first view
  const outputs = [0, 1, 2].flatMap(() => lists.slice(0, n).map(({ shape }) => backend.makeOutput(shape, "float32")));
  const view = (tensor: TensorInfo) => floats(backend, tensor);
  const rates = [...view(inputs.rates)] as AdamwRates;
  const [scale] = view(inputs.scale);
  const constants = attrs as unknown as AdamwConstants;
  for (let k = 0; k < n; k++) {
    const [p, g, m, v] = [0, 1, 2, 3].map((list) => view(lists[list * n + k]));
    const [newP, newM, newV] = [0, 1, 2].map((list) => view(outputs[list * n + k]));
    adamwStep({ p, g, m, v, newP, newM, newV }, scale, rates, constants);
  }
  return outputs;
}

function norm({ inputs, backend }: Call): TensorInfo {
  const output = backend.makeOutput([], "float32");
  let total = 0;
  for (const tensor of numbered(inputs)) {
    const values = floats(backend, tensor);
    for (let i = 0; i < values.length; i++) total += values[i] * values[i];
  }
  floats(backend, output)[0] = Math.sqrt(total);
  return output;
}

function numbered(inputs: Record<string, TensorInfo>): TensorInfo[] {
  const list: TensorInfo[] = [];
  for (let i = 0; inputs[`x${i}`]; i++) list.push(inputs[`x${i}`]);
  return list;
}
