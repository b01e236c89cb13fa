/** AdamW and the moving average by a kernel of our own, on the tensors themselves. */
import * as tf from "@tensorflow/tfjs-core";
import type { Gradient } from "../engine.js";
import { type Piece, type UpdateConstants, updateKernel, updateParameters } from "../jit/adamw.js";
import type { Kernels } from "../jit/operations.js";
import { functionDefinition, outputName, plan, type Tensorflow, TYPES } from "../tensorflow/index.js";

/** The tensors of one parameter; `average` if there is a moving average. */
interface Updated {
  p: tf.Tensor;
  m: tf.Tensor;
  v: tf.Tensor;
  gradient: Gradient;
  average: tf.Tensor | null;
}

/** Parts of the work, side by side. */
const PARTS = 2;

const functions = new WeakMap<Kernels, string>();
let count = 0;

/**
 * A tensor whose elements may be changed in place: itself if it has no clones, else a copy of it; the tensor given is then
 * disposed. What TensorFlow reshaped or cut from another may have its memory without TensorFlow.js knowing: no such
 * tensors here.
 */
export function ownCopy({ backend }: Tensorflow, tensor: tf.Tensor): tf.Tensor {
  if (backend.tensorMap.get(tensor.dataId).refCount === 1) return tensor;
  const own = tf.mul(tensor, 1); // exact, and never the same memory
  tensor.dispose();
  return own;
}

/** Changes `p`, `m`, `v` and `average` of every parameter, all of which `ownCopy` has given. */
export async function updateInPlace(
  engine: Tensorflow,
  kernels: Kernels,
  constants: UpdateConstants,
  parameters: readonly Updated[],
  { scale, rates }: { scale: tf.Tensor; rates: tf.Tensor },
): Promise<void> {
  const { backend, context } = engine;
  const { binding } = backend;
  const address = (tensor: tf.Tensor): number => context.address(backend.getInputTensorIds([tensor])[0]);
  const pieces = parameters.map(
    ({ p, m, v, gradient, average }): Piece => ({
      p: address(p),
      m: address(m),
      v: address(v),
      gradient: gradient instanceof Float32Array ? context.native.addressOf(gradient) : address(gradient),
      average: average ? address(average) : 0,
      elements: p.size,
    }),
  );
  const plans = shared(pieces, PARTS).map((part) => {
    const given = { outputs: [[1]], parameters: updateParameters(constants, part) };
    return binding.createNumbers(plan(given));
  });
  try {
    const name = await functionName(engine, kernels);
    const ids = backend.getInputTensorIds([scale, rates]);
    const results = await context.executeAsync(name, [], [...plans, ...ids], PARTS);
    for (const { id } of results) binding.deleteTensor(id);
  } finally {
    for (const id of plans) binding.deleteTensor(id);
  }
}

/** Pieces in groups of about as many elements; large ones are cut. */
function shared(pieces: readonly Piece[], groups: number): Piece[][] {
  const total = pieces.reduce((sum, { elements }) => sum + elements, 0);
  const result: Piece[][] = Array.from({ length: groups }, () => []);
  let before = 0;
  for (const piece of pieces) {
    let done = 0;
    while (done < piece.elements) {
      const group = Math.min(groups - 1, Math.floor((before * groups) / total));
      const room = group === groups - 1 ? Number.POSITIVE_INFINITY : Math.ceil(((group + 1) * total) / groups) - before;
      const elements = Math.min(piece.elements - done, room);
      result[group].push(part(piece, done, elements));
      done += elements;
      before += elements;
    }
  }
  return result;
}

function part({ p, m, v, gradient, average }: Piece, from: number, elements: number): Piece {
  const bytes = 4 * from;
  const moved = average === 0 ? 0 : average + bytes;
  return { p: p + bytes, m: m + bytes, v: v + bytes, gradient: gradient + bytes, average: moved, elements };
}

/** The function that runs the parts side by side. */
async function functionName({ context }: Tensorflow, kernels: Kernels): Promise<string> {
  let name = functions.get(kernels);
  if (name) return name;
  const { target } = kernels.jit;
  const op = kernels.request("Adamw", {
    inputs: ["float", "float"],
    outputs: 1,
    source: (name) => updateKernel(target, name),
  });
  await kernels.ready();
  name = `update_${process.pid}_${count++}`;
  const parts = Array.from({ length: PARTS }, (_, i) => i);
  context.addFunction(
    functionDefinition({
      name,
      arguments: [
        ...parts.map((i) => ({ name: `plan${i}`, dtype: TYPES.int64 })),
        { name: "scale", dtype: TYPES.float32 },
        { name: "rates", dtype: TYPES.float32 },
      ],
      results: parts.map((i) => ({ name: `done${i}`, dtype: TYPES.float32, from: `part${i}:${outputName(0)}:0` })),
      nodes: parts.map((i) => ({ name: `part${i}`, op, inputs: [`plan${i}`, "scale", "rates"], attributes: {} })),
      effects: [],
    }),
  );
  functions.set(kernels, name);
  return name;
}
