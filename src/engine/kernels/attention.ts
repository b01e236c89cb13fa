/**
 * Scaled dot-product attention head by head. The probabilities of most heads are not kept: the backward pass computes
 * them again (as in FlashAttention, Dao et al. 2022), so that memory does not grow with T x S. Those that fit into a
 * small fixed part of it are kept, which saves a product and a softmax each.
 */
import * as tf from "@tensorflow/tfjs-core";
import { FUSED, hasKernel, runFused, withGradient } from "./fused.js";
import { startAfter } from "./order.js";

/** Most bytes of probabilities that one layer keeps, of its first heads. */
const KEPT_BYTES = 2 ** 21;
/** Heads under way at once, where an engine chooses the order: their T x S matrices stay in the cache. */
const UNDER_WAY = 2;

export interface Heads {
  /** independent sequences */
  batch: number;
  heads: number;
  /** groups of heads that an engine with a kernel of its own can compute side by side; default 1 */
  groups?: number;
}

/**
 * `softmax(q k^T / sqrt(w)) v` for each sequence and head, w being the head's width.
 *
 * @param q [batch*T, heads*w], head h in columns h*w to (h+1)*w
 * @param k [batch*S, heads*w]
 * @param v [batch*S, heads*w]
 * @returns [batch*T, heads*w]
 */
export function attention(q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, shape: Heads): tf.Tensor {
  if (hasKernel(FUSED.attention)) return byKernel(q, k, v, shape);
  return withGradient([q, k, v], ([q, k, v]) => {
    const { value, weights } = forward(q, k, v, shape);
    const fitting = Math.floor(KEPT_BYTES / (4 * weights[0].size));
    return {
      value,
      keep: [q, k, v, value, ...weights.slice(0, fitting)],
      grad: (dy, [q, k, v, o, ...kept]) => backward(dy, [q, k, v, o], kept as tf.Tensor2D[], shape),
    };
  });
}

/** Attention by an engine's own kernel, group of heads by group. */
function byKernel(q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, { batch, heads, groups = 1 }: Heads): tf.Tensor {
  const length = Math.min(groups, heads);
  const attributes = Array.from({ length }, (_, i) => ({
    batch,
    heads,
    first: Math.floor((i * heads) / length),
    end: Math.floor(((i + 1) * heads) / length),
  }));
  const joined = (parts: tf.Tensor[]) => (parts.length === 1 ? parts[0] : tf.concat(parts, 1));
  return withGradient([q, k, v], ([q, k, v]) => {
    const results = attributes.map((attrs) => runFused(FUSED.attention, { q, k, v }, attrs));
    const value = joined(results.map(([part]) => part));
    return {
      value,
      keep: [q, k, v, value, ...results.flatMap((parts) => parts.slice(1))],
      grad: (dy, [q, k, v, o, ...kept]) => {
        const gradients = attributes.map((attrs, i) => {
          const inputs: Record<string, tf.Tensor> = { q, k, v, o, dy };
          if (kept.length > 0) inputs.statistics = kept[i];
          return runFused(FUSED.attentionGrad, inputs, attrs);
        });
        return [0, 1, 2].map((i) => joined(gradients.map((part) => part[i])));
      },
    };
  });
}

/**
 * The weights `softmax(q k^T / sqrt(w))` that `attention` averages the values with, for looking at them.
 *
 * @returns [batch, heads, T, S]
 */
export function attentionWeights(q: tf.Tensor, k: tf.Tensor, shape: Heads): tf.Tensor {
  return tf.tidy(() => {
    const scale = 1 / Math.sqrt(q.shape[1]! / shape.heads);
    const [qs, ks] = [split(tf.mul(q, scale), shape), split(k, shape)];
    const weights = tf.stack(qs.map((qh, i) => probabilities(qh, ks[i])));
    return tf.reshape(weights, [shape.batch, shape.heads, qs[0].shape[0], ks[0].shape[0]]);
  });
}

/** Its value, and the probabilities of each sequence and head [T, S]. */
function forward(q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, shape: Heads): { value: tf.Tensor; weights: tf.Tensor2D[] } {
  const scale = 1 / Math.sqrt(q.shape[1]! / shape.heads);
  const [qs, ks, vs] = [split(tf.mul(q, scale), shape), split(k, shape), split(v, shape)];
  const [weights, averages]: [tf.Tensor2D[], tf.Tensor2D[]] = [[], []];
  for (const [i, qh] of qs.entries()) {
    startAfter(averages[i - UNDER_WAY]);
    weights.push(probabilities(qh, ks[i]));
    averages.push(tf.matMul(weights[i], vs[i]));
  }
  return { value: merge(averages, shape), weights };
}

/** @param kept probabilities of the first heads */
function backward(dy: tf.Tensor, [q, k, v, o]: tf.Tensor[], kept: readonly tf.Tensor2D[], shape: Heads): tf.Tensor[] {
  const scale = 1 / Math.sqrt(q.shape[1]! / shape.heads);
  const scaled = tf.mul(q, scale);
  const ks = split(k, shape);
  const qs = split(scaled, shape);
  // the row sums of dP * P equal those of dy * o; as one more column the product subtracts them itself
  const [dyHeads, oHeads, vHeads] = [dy, o, v].map((x) => tf.reshape(x, [x.shape[0], shape.heads, -1]));
  const rows = tf.neg(tf.sum(tf.mul(dyHeads, oHeads), -1, true));
  const dyRows = split(joined(dyHeads, rows), shape);
  const vOnes = split(joined(vHeads, tf.ones([v.shape[0], shape.heads, 1])), shape);
  // gradients of keys and values come out transposed, since no product then transposes its T x S operand
  const [queries, upstream] = [splitTransposed(scaled, shape), splitTransposed(dy, shape)];
  const [dqs, dks, dvs]: [tf.Tensor2D[], tf.Tensor2D[], tf.Tensor2D[]] = [[], [], []];
  for (const [i, kh] of ks.entries()) {
    startAfter(dvs[i - UNDER_WAY]);
    const [dq, dk, dv] = tf.tidy(() => {
      const p = kept[i] ?? probabilities(qs[i], kh);
      const ds = tf.mul(p, tf.matMul(dyRows[i], vOnes[i], false, true)) as tf.Tensor2D;
      return [tf.matMul(ds, kh), tf.matMul(queries[i], ds), tf.matMul(upstream[i], p)];
    });
    dqs.push(dq);
    dks.push(dk);
    dvs.push(dv);
  }
  return [tf.mul(merge(dqs, shape), scale), mergeTransposed(dks, shape), mergeTransposed(dvs, shape)];
}

/** [R, heads, w] and [R, heads, 1] -> [R, heads*(w+1)] */
const joined = (x: tf.Tensor, column: tf.Tensor): tf.Tensor => tf.reshape(tf.concat([x, column], 2), [x.shape[0], -1]);

const probabilities = (q: tf.Tensor2D, k: tf.Tensor2D): tf.Tensor2D =>
  tf.softmax(tf.matMul(q, k, false, true) as tf.Tensor2D);

/** [batch*T, heads*w] -> batch*heads tensors [T, w] */
function split(x: tf.Tensor, { batch, heads }: Heads): tf.Tensor2D[] {
  const [rows, width] = x.shape;
  const byHead = tf.transpose(tf.reshape(x, [batch, rows / batch, heads, width / heads]), [0, 2, 1, 3]);
  return tf.unstack(tf.reshape(byHead, [batch * heads, rows / batch, width / heads])) as tf.Tensor2D[];
}

/** batch*heads tensors [T, w] -> [batch*T, heads*w] */
function merge(parts: tf.Tensor2D[], { batch, heads }: Heads): tf.Tensor {
  const [rows, width] = parts[0].shape;
  const byHead = tf.reshape(tf.stack(parts), [batch, heads, rows, width]);
  return tf.reshape(tf.transpose(byHead, [0, 2, 1, 3]), [batch * rows, heads * width]);
}

/** [batch*T, heads*w] -> batch*heads tensors [w, T] */
function splitTransposed(x: tf.Tensor, { batch, heads }: Heads): tf.Tensor2D[] {
  const [rows, width] = x.shape;
  const byHead = tf.transpose(tf.reshape(x, [batch, rows / batch, heads, width! / heads]), [0, 2, 3, 1]);
  return tf.unstack(tf.reshape(byHead, [batch * heads, width! / heads, rows / batch])) as tf.Tensor2D[];
}

/** batch*heads tensors [w, T] -> [batch*T, heads*w] */
function mergeTransposed(parts: tf.Tensor2D[], { batch, heads }: Heads): tf.Tensor {
  const [width, rows] = parts[0].shape;
  const byHead = tf.reshape(tf.stack(parts), [batch, heads, width, rows]);
  return tf.reshape(tf.transpose(byHead, [0, 3, 1, 2]), [batch * rows, heads * width]);
}
