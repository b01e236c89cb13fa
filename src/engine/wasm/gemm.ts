/**
 * Matrix products for the WASM backend. Its own kernel falls into a naive loop for transposed and batched operands
 * (1 to 1.6 GFLOP/s).
 */
import type { TensorInfo } from "@tensorflow/tfjs-core";
import * as tf from "@tensorflow/tfjs-core";
import { address, type Call, replaceKernel } from "./heap.js";
import { multiply } from "./product.js";
import { multiplyShared } from "./share.js";
import type { Workspace } from "./workspace.js";

export function registerProducts(work: Workspace): void {
  replaceKernel(tf.BatchMatMul, (call) => batchMatMul(work, call));
}

/** Axes before the matrix, without those of one at their beginning. */
function outerOf({ shape }: TensorInfo): number[] {
  const outer = shape.slice(0, -2);
  const first = outer.findIndex((size) => size !== 1);
  return first < 0 ? [] : outer.slice(first);
}

function batchMatMul(work: Workspace, { backend, inputs: { a, b }, attrs }: Call): TensorInfo {
  const { transposeA, transposeB } = attrs as { transposeA: boolean; transposeB: boolean };
  for (const { shape, dtype } of [a, b]) {
    if (dtype !== "float32") throw new Error(`matMul: of numbers of type float32, got ${dtype}`);
    if (shape.length < 2) throw new Error(`matMul: of matrices, got a tensor [${shape}]`);
  }
  const [aRows, aColumns] = a.shape.slice(-2);
  const [bRows, bColumns] = b.shape.slice(-2);
  const [m, k] = transposeA ? [aColumns, aRows] : [aRows, aColumns];
  const [inner, n] = transposeB ? [bColumns, bRows] : [bRows, bColumns];
  if (inner !== k) throw new Error(`matMul: inner sizes differ, got ${a.shape} and ${b.shape}`);
  const aBatch = tf.util.sizeFromShape(a.shape.slice(0, -2));
  const bBatch = tf.util.sizeFromShape(b.shape.slice(0, -2));
  const same = outerOf(a).join() === outerOf(b).join();
  if (!same && aBatch !== 1 && bBatch !== 1) {
    throw new Error(`matMul: batches differ, got ${a.shape} and ${b.shape}`);
  }
  const outer = (bBatch > aBatch ? b : a).shape.slice(0, -2);
  const batch = Math.max(aBatch, bBatch);
  const out = backend.makeOutput([...outer, m, n], "float32");
  const strides = (columns: number, transposed: boolean) =>
    transposed ? { row: 1, column: columns } : { row: columns, column: 1 };
  const [left, right] = [strides(aColumns, transposeA), strides(bColumns, transposeB)];
  if (batch === 1) {
    const [A, B, C] = [a, b, out].map((info) => address(backend, info));
    multiplyShared(work, { at: A, ...left }, { at: B, ...right }, C, [m, n, k]);
    return out;
  }
  for (let i = 0; i < batch; i++) {
    multiply(
      work,
      { at: address(backend, a) + (aBatch === 1 ? 0 : i * m * k * 4), ...left },
      { at: address(backend, b) + (bBatch === 1 ? 0 : i * k * n * 4), ...right },
      { at: address(backend, out) + i * m * n * 4, row: n },
      [m, n, k],
    );
  }
  return out;
}
