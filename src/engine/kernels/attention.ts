/**
 * Scaled dot-product attention head by head. The probabilities are not kept: the backward pass computes them again
 * (as in FlashAttention, Dao et al. 2022), so no T x S matrix outlives one head.
 */
import * as tf from "@tensorflow/tfjs-core";
import { FUSED, hasKernel, runFused, withGradient } from "./fused.js";

export interface Heads {
  /** independent sequences */
  batch: number;
  heads: number;
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
  const attrs = { ...shape };
  return withGradient([q, k, v], ([q, k, v]) => {
    const fused = hasKernel(FUSED.attention);
    const value = fused ? runFused(FUSED.attention, { q, k, v }, attrs)[0] : forward(q, k, v, shape);
    return {
      value,
      keep: [q, k, v, value],
      grad: (dy, [q, k, v, o]) =>
        fused ? runFused(FUSED.attentionGrad, { q, k, v, o, dy }, attrs) : backward(dy, [q, k, v, o], shape),
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

function forward(q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, shape: Heads): tf.Tensor {
  const scale = 1 / Math.sqrt(q.shape[1]! / shape.heads);
  const [qs, ks, vs] = [split(tf.mul(q, scale), shape), split(k, shape), split(v, shape)];
  return merge(
    qs.map((qh, i) => tf.tidy(() => tf.matMul(probabilities(qh, ks[i]), vs[i]))),
    shape,
  );
}

function backward(dy: tf.Tensor, [q, k, v, o]: tf.Tensor[], shape: Heads): tf.Tensor[] {
  const scale = 1 / Math.sqrt(q.shape[1]! / shape.heads);
  const [qs, ks, dys] = [split(tf.mul(q, scale), shape), split(k, shape), split(dy, shape)];
  // the row sums of dP * P equal those of dy * o; as one more column the product subtracts them itself
  const [dyHeads, oHeads, vHeads] = [dy, o, v].map((x) => tf.reshape(x, [x.shape[0], shape.heads, -1]));
  const rows = tf.neg(tf.sum(tf.mul(dyHeads, oHeads), -1, true));
  const dyRows = split(joined(dyHeads, rows), shape);
  const vOnes = split(joined(vHeads, tf.ones([v.shape[0], shape.heads, 1])), shape);
  const grads = qs.map((qh, i) =>
    tf.tidy(() => {
      const p = probabilities(qh, ks[i]);
      const ds = tf.mul(p, tf.matMul(dyRows[i], vOnes[i], false, true));
      return [tf.matMul(ds, ks[i]), tf.matMul(ds, qh, true), tf.matMul(p, dys[i], true)];
    }),
  );
  const [dq, dk, dv] = [0, 1, 2].map((part) =>
    merge(
      grads.map((grad) => grad[part] as tf.Tensor2D),
      shape,
    ),
  );
  return [tf.mul(dq, scale), dk, dv];
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
