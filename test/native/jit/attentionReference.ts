/** Attention and its gradients in float64, from the formulas. */
import type { Sizes, Variant } from "../../../src/engine/jit/attentionLayout.js";
import { normal } from "../../engine/support.js";

export interface Shape {
  batch: number;
  heads: number;
  /** the heads that are computed */
  first: number;
  end: number;
  t: number;
  s: number;
  /** rows in the list, if there is one */
  chosen: number;
}

/** Tensors as the kernels take them. Of heads that are not computed nothing is a number. */
export interface Given {
  variant: Case;
  sizes: Sizes<number>;
  /** queries, keys and values */
  tensors: Float32Array[];
  /** rows of all queries that are asked for */
  rows: Int32Array | null;
  /** [4, w] */
  weights: Float32Array | null;
  /** [batch*T, heads*w], or of chosen rows [M, heads*w] */
  dy: Float32Array;
}

const SIDES = [0, 1, 2] as const;
const EPSILON = 1e-5;

/** A kernel, and where queries, keys and values lie: in one tensor, the latter two in one, or in one each. */
export interface Case extends Variant {
  sources: readonly [q: number, k: number, v: number];
}

/** In how many parts the columns of queries, keys and values lie in their tensor, and which part each is. */
function partsOf(sources: Case["sources"]): { parts: number[]; part: number[] } {
  return {
    parts: sources.map((source) => sources.filter((other) => other === source).length),
    part: sources.map((source, side) => sources.slice(0, side).filter((other) => other === source).length),
  };
}

const isComputed = (head: number, { first, end }: Shape): boolean => head >= first && head < end;

/** @param spread standard deviation of queries and keys */
export function given(variant: Case, shape: Shape, seed: number, spread = 1.5): Given {
  const { w, sources, weighted } = variant;
  const { batch, heads, t, s, chosen } = shape;
  const { parts, part } = partsOf(sources);
  const rows = [t, s, s].map((count) => batch * count);
  const numbers = (index: number, rows: number, parts: number, scale: number): Float32Array =>
    normal(100 * seed + index, [rows * heads * parts * w]).data.map((value, i) => {
      const head = Math.floor((i % (heads * parts * w)) / (parts * w));
      return isComputed(head, shape) ? scale * value + 0.2 : Number.NaN;
    });
  const tensors = [...new Set(sources)].map((source) => {
    const side = sources.indexOf(source);
    return numbers(source, rows[side], parts[side], spread);
  });
  const weights = weighted ? normal(100 * seed + 7, [4 * w]).data.map((value, i) => value / 2 + (i % 2)) : null;
  const [qParts, kParts, vParts] = parts;
  const [qPart, kPart, vPart] = part;
  const [qSource, kSource, vSource] = sources;
  return {
    variant,
    sizes: {
      ...{ ...shape, chosen: variant.chosen ? chosen : 0 },
      ...{ qParts, kParts, vParts, qPart, kPart, vPart, qSource, kSource, vSource },
    },
    tensors,
    // some twice, some not at all
    rows: variant.chosen ? Int32Array.from(normal(100 * seed + 9, [chosen]).data, (x) => place(x, batch * t)) : null,
    weights,
    dy: numbers(8, variant.chosen ? chosen : batch * t, 1, 1),
  };
}

/** A whole number from 0 below `count`. */
const place = (x: number, count: number): number => Math.floor(Math.abs(x) * 1e4) % count;

/** What the kernels give. */
export interface Expected {
  o: Float64Array;
  /** of the tensors of queries, keys and values, then of the weights */
  gradients: Float64Array[];
}

export function reference({ variant, sizes, tensors, rows: list, weights, dy }: Given): Expected {
  const { w, sources, norms } = variant;
  const { batch, heads, t, s, first, end } = sizes;
  const { parts, part } = partsOf(sources);
  const computed = end - first;
  const rows = [t, s, s];
  const o = new Float64Array((dy.length / heads) * computed);
  const gradients = tensors.map((tensor) => new Float64Array((tensor.length / heads) * computed));
  const dWeights = new Float64Array(4 * w);
  for (let b = 0; b < batch; b++) {
    for (let head = first; head < end; head++) {
      /** where column 0 of a row lies in a tensor of `count` heads */
      const place = (side: number, row: number, h: number, count: number) =>
        ((b * rows[side] + row) * count + h) * parts[side] * w + part[side] * w;
      const out = (row: number, h: number, count: number) => (row * count + h) * w;
      /** query of the sequence, and row of its result */
      const asked = list
        ? [...list].map((row, result) => ({ i: row - b * t, result })).filter(({ i }) => i >= 0 && i < t)
        : Array.from({ length: t }, (_, i) => ({ i, result: b * t + i }));
      const raw = SIDES.map((side) =>
        Array.from({ length: rows[side] }, (_, row) => {
          const from = place(side, row, head, heads);
          return Float64Array.from(tensors[sources[side]].subarray(from, from + w));
        }),
      );
      const affine = (which: number) => (weights ? weights.subarray(2 * which * w, 2 * (which + 1) * w) : null);
      const normed = [norms.queries, norms.keys].map((wanted, which) =>
        raw[which].map((row) => (wanted ? layerNorm(row, affine(which)) : { y: row, normal: row, scale: 1 })),
      );
      const [q, k] = normed.map((side) => side.map(({ y }) => y));
      const v = raw[2];
      const [dq, dk, dv] = [q, k, v].map((side) => side.map(() => new Float64Array(w)));
      for (const { i, result } of asked) {
        const from = out(result, head, heads);
        const upstream = Float64Array.from(dy.subarray(from, from + w));
        const p = softmax(k.map((key) => dot(q[i], key) / Math.sqrt(w)));
        const y = new Float64Array(w);
        for (let j = 0; j < s; j++) addTo(y, v[j], p[j]);
        o.set(y, out(result, head - first, computed));
        const along = dot(y, upstream);
        for (let j = 0; j < s; j++) {
          const ds = (p[j] * (dot(upstream, v[j]) - along)) / Math.sqrt(w);
          addTo(dv[j], upstream, p[j]);
          addTo(dq[i], k[j], ds);
          addTo(dk[j], q[i], ds);
        }
      }
      for (const side of SIDES) {
        for (let row = 0; row < rows[side]; row++) {
          const d = [dq, dk, dv][side][row];
          const wanted = [norms.queries, norms.keys, false][side];
          const dx = wanted ? layerNormGrad(normed[side][row], d, affine(side), dWeights, 2 * side * w) : d;
          gradients[sources[side]].set(dx, place(side, row, head - first, computed));
        }
      }
    }
  }
  return { o, gradients: weights ? [...gradients, dWeights] : gradients };
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function addTo(to: Float64Array, x: Float64Array, factor: number): void {
  for (let i = 0; i < to.length; i++) to[i] += factor * x[i];
}

function softmax(scores: number[]): number[] {
  const largest = scores.reduce((a, b) => Math.max(a, b));
  const e = scores.map((score) => Math.exp(score - largest));
  const total = e.reduce((a, b) => a + b);
  return e.map((value) => value / total);
}

interface Normed {
  y: Float64Array;
  /** before weights */
  normal: Float64Array;
  scale: number;
}

const mean = (row: Float64Array): number => row.reduce((a, b) => a + b, 0) / row.length;

/** @param weights gamma and beta, or none */
export function layerNorm(row: Float64Array, weights: ArrayLike<number> | null): Normed {
  const w = row.length;
  const middle = mean(row);
  const centred = row.map((value) => value - middle);
  const scale = 1 / Math.sqrt(mean(centred.map((value) => value * value)) + EPSILON);
  const normal = centred.map((value) => value * scale);
  return { y: weights ? normal.map((value, i) => value * weights[i] + weights[w + i]) : normal, normal, scale };
}

/** Adds the gradients of gamma and beta to `dWeights` from `at` on. @returns the gradient of the row */
export function layerNormGrad(
  { normal, scale }: Normed,
  dy: Float64Array,
  weights: ArrayLike<number> | null,
  dWeights: Float64Array,
  at: number,
): Float64Array {
  const w = dy.length;
  const upstream = weights ? dy.map((value, i) => value * weights[i]) : dy;
  if (weights) {
    for (let i = 0; i < w; i++) {
      dWeights[at + i] += dy[i] * normal[i];
      dWeights[at + w + i] += dy[i];
    }
  }
  const average = mean(upstream);
  const slope = mean(upstream.map((value, i) => value * normal[i]));
  return upstream.map((value, i) => scale * (value - average - slope * normal[i]));
}
