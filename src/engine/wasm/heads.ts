/** Attention head by head: packed products on strided heads, one T x S matrix in scratch space. */
import type { Claim } from "./parts.js";
import { type Matrix, multiply } from "./product.js";
import type { Workspace } from "./workspace.js";

/** What a call of attention works on. */
export interface Sizes {
  batch: number;
  heads: number;
  /** queries and keys of a sequence */
  t: number;
  s: number;
  /** width of a head */
  w: number;
}

const scaleOf = ({ w }: Sizes): number => 1 / Math.sqrt(w);

/** Elements of a row of the T x S matrix: s rounded up to whole vectors. */
const lineOf = ({ s }: Sizes): number => Math.ceil(s / 4) * 4;

/** Calls `body` with a view maker for each head claimed, heads of one sequence after those of another: a tensor of `rows` rows a sequence as a matrix. */
function eachHead(
  { heads, w }: Sizes,
  claim: Claim,
  body: (view: (base: number, rows: number) => Matrix) => void,
): void {
  for (let i = claim(); i !== null; i = claim()) {
    const [b, h] = [Math.floor(i / heads), i % heads];
    body((base, rows) => ({ at: base + (b * rows * heads + h) * w * 4, row: heads * w, column: 1 }));
  }
}

const transposed = ({ at, row, column }: Matrix): Matrix => ({ at, row: column, column: row });

/** softmax(scale q k^T) into scratch space. */
function probabilities(work: Workspace, sizes: Sizes, q: Matrix, k: Matrix): Matrix {
  const { t, s, w } = sizes;
  const ld = lineOf(sizes);
  const p = work.scratch("p", t * ld * 4);
  multiply(work, q, transposed(k), { at: p, row: ld }, [t, s, w], scaleOf(sizes));
  if (ld !== s) {
    const heap = work.heap();
    for (let i = 0; i < t; i++) heap.fill(-Infinity, p / 4 + i * ld + s, p / 4 + (i + 1) * ld);
  }
  work.run.softmaxRows(p, t, ld / 4);
  return { at: p, row: ld, column: 1 };
}

/**
 * The outputs of some heads.
 * @param tensors addresses of q, k, v and of the output
 */
export function attendHeads(work: Workspace, sizes: Sizes, claim: Claim, tensors: readonly number[]): void {
  const { t, s, w } = sizes;
  const [q, k, v, o] = tensors;
  eachHead(sizes, claim, (view) => {
    const p = probabilities(work, sizes, view(q, t), view(k, s));
    multiply(work, p, view(v, s), view(o, t), [t, w, s]);
  });
}

/**
 * The gradients of some heads.
 * @param tensors addresses of q, k, v, o, dy and of the gradients of q, k and v
 */
export function attendHeadsGrad(work: Workspace, sizes: Sizes, claim: Claim, tensors: readonly number[]): void {
  const { t, s, w } = sizes;
  const [scale, ld] = [scaleOf(sizes), lineOf(sizes)];
  const [q, k, v, o, dy, dq, dk, dv] = tensors;
  eachHead(sizes, claim, (view) => {
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
