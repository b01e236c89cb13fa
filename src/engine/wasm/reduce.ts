/**
 * Sum, Mean and UnsortedSegmentSum for the WASM backend. Its own Sum and Mean add in float32 one after the other (the
 * mean square of a million numbers comes out 4e-4 too small); these add in float64. The third it lacks.
 */
import type { TensorInfo } from "@tensorflow/tfjs-core";
import * as tf from "@tensorflow/tfjs-core";
import { type Call, floats, ints, numbers, replaceKernel } from "./heap.js";

export function registerReductions(): void {
  replaceKernel(tf.Sum, (call) => reduce(call, false));
  replaceKernel(tf.Mean, (call) => reduce(call, true));
  replaceKernel(tf.UnsortedSegmentSum, segmentSum);
}

function reduce({ backend, inputs: { x }, attrs }: Call, mean: boolean): TensorInfo {
  const { axis, keepDims } = attrs as { axis: number | number[] | null; keepDims?: boolean };
  const axes = tf.util.parseAxisParam(axis ?? x.shape.map((_, i) => i), x.shape);
  const [outShape] = tf.backend_util.computeOutAndReduceShapes(x.shape, axes);
  const shape = keepDims ? tf.backend_util.expandShapeToKeepDim(outShape, axes) : outShape;
  const sums = new Float64Array(tf.util.sizeFromShape(outShape));
  const out = backend.makeOutput(shape, "float32");
  const data = numbers(backend, x);
  addUp(data, x.shape, axes, sums);
  const count = mean ? data.length / sums.length : 1;
  const target = floats(backend, out);
  for (let i = 0; i < sums.length; i++) target[i] = sums[i] / count;
  return out;
}

/** Adds every element to the sum of its place on the axes that stay. */
function addUp(data: ArrayLike<number>, shape: number[], axes: number[], sums: Float64Array): void {
  const runs = mergeAxes(shape, axes);
  const last = runs.at(-1) ?? { size: 1, reduced: true };
  const outer = runs.slice(0, -1);
  const index = outer.map(() => 0);
  const strides: number[] = [];
  let stride = last.reduced ? 1 : last.size;
  for (let i = outer.length - 1; i >= 0; i--) {
    strides[i] = outer[i].reduced ? 0 : stride;
    if (!outer[i].reduced) stride *= outer[i].size;
  }
  let to = 0;
  for (let from = 0; from < data.length; from += last.size) {
    if (last.reduced) {
      let sum = 0;
      for (let i = from; i < from + last.size; i++) sum += data[i];
      sums[to] += sum;
    } else {
      for (let i = 0; i < last.size; i++) sums[to + i] += data[from + i];
    }
    for (let i = outer.length - 1; i >= 0; i--) {
      to += strides[i];
      if (++index[i] < outer[i].size) break;
      to -= strides[i] * index[i];
      index[i] = 0;
    }
  }
}

/** Neighbouring axes that are all reduced, or all kept, as one. */
function mergeAxes(shape: number[], axes: number[]): { size: number; reduced: boolean }[] {
  const runs: { size: number; reduced: boolean }[] = [];
  for (const [i, size] of shape.entries()) {
    const reduced = axes.includes(i);
    const last = runs.at(-1);
    if (last && last.reduced === reduced) last.size *= size;
    else runs.push({ size, reduced });
  }
  return runs;
}

function segmentSum({ backend, inputs: { x, segmentIds }, attrs }: Call): TensorInfo {
  const { numSegments } = attrs as { numSegments: number };
  if (!Number.isInteger(numSegments) || numSegments < 0) {
    throw new Error(`unsortedSegmentSum: the number of segments must be a whole number, and is ${numSegments}`);
  }
  for (const id of ints(backend, segmentIds)) {
    if (id >= numSegments) throw new Error(`unsortedSegmentSum: there is no segment ${id} among ${numSegments}`);
  }
  const out = backend.makeOutput([numSegments, ...x.shape.slice(1)], "float32");
  const target = floats(backend, out).fill(0);
  const source = floats(backend, x);
  const ids = ints(backend, segmentIds);
  const width = target.length / numSegments;
  for (let m = 0; m < ids.length; m++) {
    if (ids[m] < 0) continue;
    for (let i = 0; i < width; i++) target[ids[m] * width + i] += source[m * width + i];
  }
  return out;
}
