/**
 * Kernels of the WASM backend that believe the indices they are given: one out of range reads or writes memory of other
 * tensors there. Here they are looked at first, as on every other backend.
 */
import * as tf from "@tensorflow/tfjs-core";
import { runPlain } from "./borrowed.js";
import { type Call, ints, replaceKernel } from "./heap.js";

type Kernel = (call: Call) => tf.TensorInfo | tf.TensorInfo[];

export function registerGuards(): void {
  guard(tf.Slice, ({ inputs: { x }, attrs: { begin, size } }) => {
    const [starts, sizes] = tf.slice_util.parseSliceParams(x as tf.Tensor, begin as number[], size as number[]);
    for (const [axis, start] of starts.entries()) {
      const length = x.shape[axis];
      if (start < 0 || sizes[axis] < 0 || start + sizes[axis] > length) {
        throw new Error(
          `slice: ${start} and ${sizes[axis]} more do not lie within the ${length} of axis ${axis} of [${x.shape}]`,
        );
      }
    }
  });
  guard(
    tf.GatherV2,
    // which looks at its indices itself
    () => {},
    // its own takes the wrong elements where the first axes go together (4.22)
    ({ backend, inputs, attrs }) => (attrs.batchDims ? runPlain(tf.GatherV2, backend, inputs, attrs) : null),
  );
  guard(tf.GatherNd, ({ backend, inputs: { params, indices } }) => {
    places("gatherND", ints(backend, indices), indices.shape, params.shape);
  });
  guard(tf.ScatterNd, ({ backend, inputs: { indices }, attrs: { shape } }) => {
    places("scatterND", ints(backend, indices), depthOf(indices.shape), shape as number[]);
  });
  guard(tf.TensorScatterUpdate, ({ backend, inputs: { tensor, indices } }) => {
    places("tensorScatterUpdate", ints(backend, indices), depthOf(indices.shape), tensor.shape);
  });
  guard(tf.SparseToDense, ({ backend, inputs: { sparseIndices }, attrs: { outputShape } }) => {
    places("sparseToDense", ints(backend, sparseIndices), depthOf(sparseIndices.shape), outputShape as number[]);
  });
}

/** Indices of rank 1 are places along the first axis. */
const depthOf = (shape: readonly number[]): number[] => (shape.length < 2 ? [...shape, 1] : [...shape]);

/** @param instead a result that comes in place of the backend's own, or null */
function guard(
  name: string,
  check: (call: Call) => void,
  instead: (call: Call) => tf.TensorInfo | null = () => null,
): void {
  const own = tf.getKernel(name, "wasm").kernelFunc as unknown as Kernel;
  replaceKernel(name, (call) => {
    check(call);
    return instead(call) ?? own(call);
  });
}

/** @param shape of the indices: the last axis counts the axes that an index names */
function places(operation: string, indices: Int32Array, shape: readonly number[], sizes: readonly number[]): void {
  const count = shape.at(-1) ?? 1;
  if (count > sizes.length) throw new Error(`${operation}: an index of ${count} axes into [${sizes}]`);
  for (const [at, index] of indices.entries()) {
    const length = sizes[at % count];
    if (index < 0 || index >= length) {
      throw new Error(
        `${operation}: the index ${index} does not lie within the ${length} of axis ${at % count} of [${sizes}]`,
      );
    }
  }
}
