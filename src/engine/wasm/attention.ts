/** Attention head by head on the WASM backend: packed products on strided heads, one T x S matrix in scratch space. */
import type { TensorInfo } from "@tensorflow/tfjs-core";
import { FUSED } from "../kernels/fused.js";
import { type Matrix, multiply } from "./gemm.js";
import { address, type Call, replaceKernel } from "./heap.js";
import type { Workspace } from "./workspace.js";

interface Sizes {
  batch: number;
  heads: number;
  /** queries and keys of a sequence */
  t: number;
  s: number;
  /** width of a head */
  w: number;
  scale: number;
  /** elements of a row of the T x S matrix: s rounded up to whole vectors */
  ld: number;
}

export function registerAttention(work: Workspace): void {
  replaceKernel(FUSED.attention, (call) => attention(work, call));
  replaceKernel(FUSED.attentionGrad, (call) => attentionGrad(work, call));
}

function sizesOf({ inputs: { q, k }, attrs }: Call): Sizes {
  const { batch, heads } = attrs as { batch: number; heads: number };
  const s = k.shape[0] / batch;
  const w = q.shape[1] / heads;
  return { batch, heads, t: q.shape[0] / batch, s, w, scale: 1 / Math.sqrt(w), ld: Math.ceil(s / 4) * 4 };
}

/** Calls `body` with a view maker for each sequence and head: a tensor of `rows` rows a sequence as a matrix. */
function eachHead({ batch, heads, w }: Sizes, body: (view: (base: number, rows: number) => Matrix) => void): void {
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < heads; h++) {
      body((base, rows) => ({ at: base + (b * rows * heads + h) * w * 4, row: heads * w, column: 1 }));
    }
  }
}

const transposed = ({ at, row, column }: Matrix): Matrix => ({ at, row: column, column: row });

/** softmax(scale q k^T) into scratch space. */
function probabilities(work: Workspace, { t, s, w, scale, ld }: Sizes, q: Matrix, k: Matrix): Matrix {
  const p = work.scratch("p", t * ld * 4);
  multiply(work, q, transposed(k), { at: p, row: ld }, [t, s, w], scale);
  if (ld !== s) {
    const heap = work.heap();
    for (let i = 0; i < t; i++) heap.fill(-Infinity, p / 4 + i * ld + s, p / 4 + (i + 1) * ld);
  }
  work.run.softmaxRows(p, t, ld / 4);
  return { at: p, row: ld, column: 1 };
}

function attention(work: Workspace, call: Call): TensorInfo {
  const { backend, inputs } = call;
  const sizes = sizesOf(call);
  const { t, s, w } = sizes;
  const out = backend.makeOutput(inputs.q.shape, "float32");
  const [q, k, v, o] = [inputs.q, inputs.k, inputs.v, out].map((info) => address(backend, info));
  eachHead(sizes, (view) => {
    const p = probabilities(work, sizes, view(q, t), view(k, s));
    multiply(work, p, view(v, s), view(o, t), [t, w, s]);
  });
  return out;
}

function attentionGrad(work: Workspace, call: Call): TensorInfo[] {
  const { backend, inputs } = call;
  const sizes = sizesOf(call);
  const { t, s, w, scale, ld } = sizes;
  const outputs = [inputs.q, inputs.k, inputs.v].map(({ shape }) => backend.makeOutput(shape, "float32"));
  const [q, k, v, o, dy] = [inputs.q, inputs.k, inputs.v, inputs.o, inputs.dy].map((info) => address(backend, info));
  const [dq, dk, dv] = outputs.map((info) => address(backend, info));
  eachHead(sizes, (view) => {
    const [Q, K, V, DY] = [view(q, t), view(k, s), view(v, s), view(dy, t)];
    const p = probabilities(work, sizes, Q, K);
    const ds = { at: work.scratch("ds", t * ld * 4), row: ld, column: 1 };
    const dots = work.scratch("dots", t * 4);
    multiply(work, DY, transposed(V), ds, [t, s, w]);
    rowDots(work.heap(), view(o, t), DY, dots, t, w);
    if (ld !== s) clearPadding(work.heap(), ds.at, t, s, ld);
    work.run.softmaxGrad(p.at, ds.at, dots, t, ld / 4);
    multiply(work, ds, K, view(dq, t), [t, w, s], scale);
    multiply(work, transposed(ds), Q, view(dk, s), [s, w, t], scale);
    multiply(work, transposed(p), DY, view(dv, s), [s, w, t]);
  });
  return outputs;
}

/** The row sums of dP * P, which equal those of dy * o. */
function rowDots(heap: Float32Array, o: Matrix, dy: Matrix, dots: number, t: number, w: number): void {
  for (let i = 0; i < t; i++) {
    const [a, b] = [o.at / 4 + i * o.row, dy.at / 4 + i * dy.row];
    let sum = 0;
    for (let c = 0; c < w; c++) sum += heap[a + c] * heap[b + c];
    heap[dots / 4 + i] = sum;
  }
}

function clearPadding(heap: Float32Array, at: number, t: number, s: number, ld: number): void {
  for (let i = 0; i < t; i++) heap.fill(0, at / 4 + i * ld + s, at / 4 + (i + 1) * ld);
}
