/** Attention by an engine's own kernel, which reads the columns of the projections and normalises them itself. */
import * as tf from "@tensorflow/tfjs-core";
import { FUSED, runFused, withGradient } from "./fused.js";
import { type AttentionInputs, apart, type Columns, type Heads, only } from "./heads.js";

/** As `attention`. */
export function headAttention(inputs: AttentionInputs, shape: Heads, rows: tf.Tensor | null): tf.Tensor {
  if (eachOnce([inputs.q, inputs.k, inputs.v])) return byColumns(inputs, shape, rows);
  const { q, k, v } = apart(inputs, shape);
  return byColumns({ q: only(q), k: only(k), v: only(v) }, shape, rows);
}

/** True if every column is used by one of the three alone: the kernel writes one gradient to each. */
function eachOnce(columns: readonly Columns[]): boolean {
  const parts = new Map(columns.map(({ x, parts }) => [x, parts]));
  const total = [...parts.values()].reduce((a, b) => a + b);
  return total === 3 && new Set(columns.map(({ x, part }) => `${x.id} ${part}`)).size === 3;
}

function byColumns(
  { q, k, v, norms }: AttentionInputs,
  { batch, heads, groups = 1 }: Heads,
  rows: tf.Tensor | null,
): tf.Tensor {
  const tensors = [...new Set([q.x, k.x, v.x])];
  const columns = [q, k, v];
  const weights = norms?.weights;
  const attributes = {
    batch,
    heads,
    sources: columns.map(({ x }) => tensors.indexOf(x)),
    parts: columns.map(({ parts }) => parts),
    part: columns.map(({ part }) => part),
    normQueries: norms?.queries ?? false,
    normKeys: norms?.keys ?? false,
    weighted: weights !== undefined,
  };
  const inputs = weights
    ? [...tensors, tf.stack([weights.q.gamma, weights.q.beta, weights.k.gamma, weights.k.beta])]
    : tensors;
  const length = Math.min(groups, heads);
  const ranges = Array.from({ length }, (_, i) => ({
    ...attributes,
    first: Math.floor((i * heads) / length),
    end: Math.floor(((i + 1) * heads) / length),
  }));
  const chosen = rows ? [rows] : [];
  const named = (tensors: readonly tf.Tensor[], [rows]: tf.Tensor[]): Record<string, tf.Tensor> => ({
    ...Object.fromEntries(tensors.map((tensor, i) => [`x${i}`, tensor])),
    ...(rows && { rows }),
  });
  return withGradient(inputs, (given) => {
    const results = ranges.map((attrs) => runFused(FUSED.headAttention, named(given, chosen), attrs));
    const value = joined(results.map(([part]) => part));
    return {
      value,
      keep: [...given, ...chosen, value, ...results.map(([, statistics]) => statistics)],
      grad: (dy, kept) => {
        const own = kept.slice(0, given.length);
        const list = kept.slice(given.length, given.length + chosen.length);
        const [o, ...statistics] = kept.slice(given.length + chosen.length);
        const gradients = ranges.map((attrs, i) =>
          runFused(FUSED.headAttentionGrad, { ...named(own, list), o, dy, statistics: statistics[i] }, attrs),
        );
        return own.map((_, k) => {
          const parts = gradients.map((group) => group[k]);
          return weights && k === own.length - 1 ? parts.reduce((a, b) => tf.add(a, b)) : joined(parts);
        });
      },
    };
  });
}

/** Groups of heads side by side. */
const joined = (parts: tf.Tensor[]): tf.Tensor => (parts.length === 1 ? parts[0] : tf.concat(parts, 1));
