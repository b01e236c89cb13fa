/** Where attention finds queries, keys and values. */
import * as tf from "@tensorflow/tfjs-core";
import { layerNorm } from "./layerNorm.js";

export interface Heads {
  /** independent sequences */
  batch: number;
  heads: number;
  /** groups of heads that an engine with a kernel of its own can compute side by side; default 1 */
  groups?: number;
}

/** Columns of a projection: those of each head lie together, in `parts` groups of w; these are number `part`. */
export interface Columns {
  /** [R, heads*parts*w] */
  x: tf.Tensor;
  parts: number;
  part: number;
}

/** A projection all of whose columns are used alike. */
export const only = (x: tf.Tensor): Columns => ({ x, parts: 1, part: 0 });

/** Layer norms over the width of a head, of queries and keys; with weights [w], or without. */
export interface HeadNorms {
  queries: boolean;
  keys: boolean;
  weights?: Record<"q" | "k", { gamma: tf.Tensor; beta: tf.Tensor }>;
}

export interface AttentionInputs {
  q: Columns;
  k: Columns;
  v: Columns;
  norms?: HeadNorms;
}

/** Queries, keys and values as tensors of their own [R, heads*w], normalised. */
export function apart({ q, k, v, norms }: AttentionInputs, { heads }: Heads): Record<"q" | "k" | "v", tf.Tensor> {
  const split = new Map<tf.Tensor, tf.Tensor[]>();
  const take = ({ x, parts, part }: Columns): tf.Tensor => {
    let found = split.get(x);
    if (!found) {
      const byHead = tf.reshape(x, [x.shape[0], heads, x.shape[1]! / heads]);
      found = parts === 1 ? [byHead] : tf.split(byHead, parts, 2);
      split.set(x, found);
    }
    return found[part];
  };
  const normed = (tensor: tf.Tensor, wanted: boolean | undefined, side: "q" | "k") =>
    wanted ? layerNorm(tensor, norms?.weights?.[side].gamma, norms?.weights?.[side].beta) : tensor;
  const flat = (tensor: tf.Tensor) => tf.reshape(tensor, [tensor.shape[0], -1]);
  return {
    q: flat(normed(take(q), norms?.queries, "q")),
    k: flat(normed(take(k), norms?.keys, "k")),
    v: flat(take(v)),
  };
}
