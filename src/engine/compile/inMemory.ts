/** What the native engine does with numbers where they lie: copies without JavaScript's arrays, sums of squares. */
import type * as tf from "@tensorflow/tfjs-core";
import type { Gradient } from "../engine.js";
import type { Kernels } from "../jit/operations.js";
import { squareParameters, squaresKernel } from "../jit/squareSums.js";
import { functionDefinition, outputName, plan, type Tensorflow, TYPES } from "../tensorflow/index.js";
import { ownCopy } from "./inPlace.js";

/** Address of a gradient's elements. */
export function addressOf({ backend, context }: Tensorflow, values: Gradient): number {
  if (values instanceof Float32Array) return context.native.addressOf(values);
  return context.address(backend.getInputTensorIds([values])[0]);
}

/** As `Engine.copyOut`. */
export function copyOut({ backend, context }: Tensorflow, tensors: readonly tf.Tensor[], to: Float32Array): void {
  let at = 0;
  for (const [i, id] of backend.getInputTensorIds(tensors).entries()) {
    const { size } = tensors[i];
    if (size > 0) context.native.copyOut(to.subarray(at, at + size), context.address(id), 4 * size);
    at += size;
  }
}

/** As `Engine.copyIn`: the tensors' own elements change where nobody else has them. */
export function copyIn(engine: Tensorflow, tensors: readonly tf.Tensor[], from: Float32Array): tf.Tensor[] {
  let at = 0;
  return tensors.map((tensor) => {
    const own = ownCopy(engine, tensor);
    const { size } = own;
    if (size > 0) engine.context.native.copyIn(addressOf(engine, own), from.subarray(at, at + size), 4 * size);
    at += size;
    return own;
  });
}

/** Elements whose squares are added up in float32; the blocks' sums are added in float64. */
const BLOCK = 4096;
/** Parts of the work, side by side. */
const PARTS = 2;

const functions = new WeakMap<Kernels, string>();
let count = 0;

/** As `Engine.squares`; the blocks are the same on any number of threads. */
export async function squares(engine: Tensorflow, kernels: Kernels, gradients: readonly Gradient[]): Promise<number[]> {
  const { backend, context } = engine;
  const blocks = gradients.flatMap((values, owner) => {
    const { length } = values instanceof Float32Array ? values : { length: values.size };
    const address = addressOf(engine, values);
    return Array.from({ length: Math.ceil(length / BLOCK) }, (_, k) => {
      return { owner, address: address + 4 * k * BLOCK, elements: Math.min(BLOCK, length - k * BLOCK) };
    });
  });
  const totals = gradients.map(() => 0);
  if (blocks.length === 0) return totals;
  const share = Math.ceil(blocks.length / PARTS);
  const parts = Array.from({ length: PARTS }, (_, k) => blocks.slice(k * share, (k + 1) * share));
  const plans = parts.map((part) => {
    return backend.binding.createNumbers(plan({ outputs: [[part.length]], parameters: squareParameters(part) }));
  });
  try {
    const found = await context.executeAsync(await functionName(engine, kernels), [], plans, PARTS);
    const sums = found.flatMap(({ id }) => [...(context.read(id) as Float32Array)]);
    for (const { id } of found) backend.binding.deleteTensor(id);
    for (const [i, { owner }] of blocks.entries()) totals[owner] += sums[i];
    return totals;
  } finally {
    for (const id of plans) backend.binding.deleteTensor(id);
  }
}

/** The function that runs the parts side by side. */
async function functionName({ context }: Tensorflow, kernels: Kernels): Promise<string> {
  let name = functions.get(kernels);
  if (name) return name;
  const { target } = kernels.jit;
  const op = kernels.request("SquareSums", {
    inputs: [],
    outputs: 1,
    source: (own) => squaresKernel(target, own),
  });
  await kernels.ready();
  name = `squares_${process.pid}_${count++}`;
  const parts = Array.from({ length: PARTS }, (_, i) => i);
  context.addFunction(
    functionDefinition({
      name,
      arguments: parts.map((i) => ({ name: `plan${i}`, dtype: TYPES.int64 })),
      results: parts.map((i) => ({ name: `sums${i}`, dtype: TYPES.float32, from: `part${i}:${outputName(0)}:0` })),
      nodes: parts.map((i) => ({ name: `part${i}`, op, inputs: [`plan${i}`], attributes: {} })),
      effects: [],
    }),
  );
  functions.set(kernels, name);
  return name;
}
