/**
 * Scaled dot-product attention head by head. The probabilities of most heads are not kept: the backward pass computes
 * them again (as in FlashAttention, Dao et al. 2022), so that memory does not grow with T x S. Those that fit into a
 * small fixed part of it are kept, which saves a product and a softmax each.
 */
import * as tf from "@tensorflow/tfjs-core";
import { FUSED, hasKernel, runFused, withGradient } from "./fused.js";
import { gatherRows } from "./gatherRows.js";
import { headAttention } from "./headAttention.js";
import { type AttentionInputs, apart, type Heads } from "./heads.js";
import { startAfter } from "./schedule.js";

/** Most bytes of probabilities that one layer keeps, of its first heads. */
const KEPT_BYTES = 2 ** 21;
/** Heads under way at once, where an engine chooses the order: their T x S matrices stay in the cache. */
const UNDER_WAY = 2;

/**
 * `softmax(q k^T / sqrt(w)) v` for each sequence and head, w being the head's width.
 *
 * @param inputs q of T rows, k and v of S rows a sequence
 * @param rows int32 [M]: only these of all rows of q are asked for
 * @returns [batch*T, heads*w], head h in columns h*w to (h+1)*w; of chosen rows [M, heads*w]
 */
export function attention(inputs: AttentionInputs, shape: Heads, rows: tf.Tensor | null = null): tf.Tensor {
  if (hasKernel(FUSED.headAttention)) return headAttention(inputs, shape, rows);
  const all = ofAllRows(inputs, shape);
  return rows ? gatherRows(all, rows) : all;
}

function ofAllRows(inputs: AttentionInputs, shape: Heads): tf.Tensor {
  const { q, k, v } = apart(inputs, shape);
  const attrs = { batch: shape.batch, heads: shape.heads };
  if (hasKernel(FUSED.attention)) {
    return withGradient([q, k, v], ([q, k, v]) => {
      const [value] = runFused(FUSED.attention, { q, k, v }, attrs);
      return {
        value,
        keep: [q, k, v, value],
        grad: (dy, [q, k, v, o]) => runFused(FUSED.attentionGrad, { q, k, v, o, dy }, attrs),
      };
    });
  }
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

/**
 * The weights `softmax(q k^T / sqrt(w))` that `attention` averages the values with, for looking at them.
 *
 * @returns [batch, heads, T, S]
 */
export function attentionWeights(inputs: AttentionInputs, shape: Heads): tf.Tensor {
  return tf.tidy(() => {
    const { q, k } = apart(inputs, shape);
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
