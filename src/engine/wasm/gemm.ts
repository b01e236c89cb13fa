/**
 * Matrix products for the WASM backend. Its own kernel falls into a naive loop for transposed and batched operands
 * (1 to 1.6 GFLOP/s); here operands of any strides are packed first, and one loop does the rest.
 */
import type { TensorInfo } from "@tensorflow/tfjs-core";
import * as tf from "@tensorflow/tfjs-core";
import { address, type Call, replaceKernel } from "./heap.js";
import type { Workspace } from "./workspace.js";

/** A matrix in memory: byte address of its first element, and the distance of rows and columns in elements. */
export interface Matrix {
  at: number;
  row: number;
  column: number;
}

/**
 * C = alpha A B.
 *
 * @param c row-major, columns next to each other
 */
export function multiply(
  work: Workspace,
  a: Matrix,
  b: Matrix,
  c: { at: number; row: number },
  [m, n, k]: readonly [number, number, number],
  alpha = 1,
): void {
  const mPanels = Math.ceil(m / 4);
  const nPanels = Math.ceil(n / 8);
  const packedA = work.scratch("a", mPanels * k * 16);
  const packedB = work.scratch("b", nPanels * k * 32);
  const whole = m % 4 === 0 && n % 8 === 0;
  const target = whole ? c.at : work.scratch("c", mPanels * nPanels * 128);
  const ldc = whole ? c.row : nPanels * 8;
  const heap = work.heap();
  pack(heap, packedA / 4, a.at / 4, a.row, a.column, m, k, 4, alpha);
  pack(heap, packedB / 4, b.at / 4, b.column, b.row, n, k, 8, 1);
  work.run.gemm(packedA, packedB, target, k, mPanels, nPanels, ldc * 4);
  if (whole) return;
  for (let i = 0; i < m; i++) {
    const from = target / 4 + i * ldc;
    heap.copyWithin(c.at / 4 + i * c.row, from, from + n);
  }
}

/** Panels of `width` lines, element by element of k; the last panel is filled with zeros. */
function pack(
  heap: Float32Array,
  to: number,
  from: number,
  line: number,
  step: number,
  lines: number,
  k: number,
  width: number,
  alpha: number,
): void {
  for (let first = 0; first < lines; first += width) {
    const used = Math.min(width, lines - first);
    const panel = to + first * k;
    const source = from + first * line;
    if (used < width) heap.fill(0, panel, panel + width * k);
    if (line === 1 && used === width && alpha === 1) {
      for (let i = 0, d = panel, s = source; i < k; i++, s += step) {
        for (let r = 0; r < width; r++) heap[d++] = heap[s + r];
      }
    } else {
      for (let r = 0; r < used; r++) {
        const start = source + r * line;
        for (let i = 0, d = panel + r, s = start; i < k; i++, d += width, s += step) heap[d] = heap[s] * alpha;
      }
    }
  }
}

export function registerProducts(work: Workspace): void {
  replaceKernel(tf.BatchMatMul, (call) => batchMatMul(work, call));
}

function batchMatMul(work: Workspace, { backend, inputs: { a, b }, attrs }: Call): TensorInfo {
  const { transposeA, transposeB } = attrs as { transposeA: boolean; transposeB: boolean };
  const [aRows, aColumns] = a.shape.slice(-2);
  const [bRows, bColumns] = b.shape.slice(-2);
  const [m, k] = transposeA ? [aColumns, aRows] : [aRows, aColumns];
  const [inner, n] = transposeB ? [bColumns, bRows] : [bRows, bColumns];
  if (inner !== k) throw new Error(`matMul: inner sizes differ, got ${a.shape} and ${b.shape}`);
  const aBatch = tf.util.sizeFromShape(a.shape.slice(0, -2));
  const bBatch = tf.util.sizeFromShape(b.shape.slice(0, -2));
  if (aBatch !== bBatch && aBatch !== 1 && bBatch !== 1) {
    throw new Error(`matMul: batches differ, got ${a.shape} and ${b.shape}`);
  }
  const outer = (bBatch > aBatch ? b : a).shape.slice(0, -2);
  const batch = Math.max(aBatch, bBatch);
  const out = backend.makeOutput([...outer, m, n], "float32");
  const strides = (columns: number, transposed: boolean) =>
    transposed ? { row: 1, column: columns } : { row: columns, column: 1 };
  const [left, right] = [strides(aColumns, transposeA), strides(bColumns, transposeB)];
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
