/** Dense attention blocks: every token of a sample attends to every other, of its own field and of coupled ones. */
import * as tf from "@tensorflow/tfjs-core";
import { type Columns, type HeadNorms, headGroups, layerNorm, only } from "../../engine/kernels/index.js";
import { byRows, drop, type ForwardPass, project } from "../forwardPass.js";
import { attend } from "./attend.js";

/**
 * Self heads of a field and cross heads to its coupled fields; layer norms of the inputs are the caller's.
 *
 * @param own [B*T, d] the residual stream's normalised form
 * @param others [B*S, d'] the coupled fields' normalised forms
 * @param heads self heads; each has width d / heads
 * @returns [B*T, d + ...] the heads' outputs side by side
 */
export function coupledHeads(
  run: ForwardPass,
  name: string,
  own: tf.Tensor,
  others: tf.Tensor[],
  heads: number,
): tf.Tensor {
  const { batch, spec } = run;
  const groups = headGroups(run.part);
  const { with_qk_lnorm: withQkNorm } = spec.config;
  const [q, k, v] = columns(projectRows(run, `${name}.proj_heads`, own), 3);
  const norms = { queries: withQkNorm, keys: withQkNorm };
  const outputs = [attend(run, place(name, 0), { q, k, v, norms }, { batch, heads, groups })];
  if (others.length > 0) {
    const queries = tf.split(project(run, `${name}.proj_heads_other.0`, own), others.length, 1);
    for (const [i, other] of others.entries()) {
      const crossHeads = spec.config.coupling_num_heads_per_field;
      const [k, v] = columns(project(run, `${name}.proj_heads_other.${i + 1}`, other), 2);
      // the reference normalises the keys of cross heads, not their queries
      const inputs = { q: only(queries[i]), k, v, norms: { queries: false, keys: withQkNorm } };
      outputs.push(attend(run, place(name, i + 1), inputs, { batch, heads: crossHeads, groups }));
    }
  }
  return joined(outputs);
}

/**
 * Heads of the decoder's block: self heads on its own stream and cross heads to the encoder's, both layer-normalised;
 * queries and keys pass through layer norms with weights that self and cross heads share.
 *
 * @param x [B*T, d]
 * @param encoded [B*T, d] output of an encoder layer; absent: self heads only, without weights of norms, as in the encoder
 * @returns [B*T, d] the heads' outputs side by side
 */
export const decoderHeads = (run: ForwardPass, name: string, x: tf.Tensor, encoded?: tf.Tensor): tf.Tensor =>
  attendProjected(run, name, decoderProjections(run, name, x, encoded));

/** What a decoder's block projects before its tokens look at each other. */
export interface Projections {
  /** queries, keys and values of self heads, head by head [B*T, ...]; null: there are none */
  self: tf.Tensor | null;
  /** queries of cross heads, and keys and values; null: there are none */
  cross: readonly [queries: tf.Tensor, keysAndValues: tf.Tensor] | null;
}

/** @param encoded as for `decoderHeads` */
export function decoderProjections(run: ForwardPass, name: string, x: tf.Tensor, encoded?: tf.Tensor): Projections {
  const { spec } = run;
  const { crossHeads } = spec;
  if (!encoded) {
    const own = spec.config.with_layernorm ? normRows(run, x) : x;
    return { self: projectRows(run, `${name}.proj_heads`, own), cross: null };
  }
  const own = normRows(run, x);
  const self = crossHeads < spec.config.decoder_num_heads ? projectRows(run, `${name}.proj_heads`, own) : null;
  if (crossHeads === 0) return { self, cross: null };
  const queries = projectRows(run, `${name}.proj_heads_o_q`, own);
  return { self, cross: [queries, projectRows(run, `${name}.proj_heads_o_kv`, normRows(run, encoded))] };
}

/**
 * The heads that follow `decoderProjections`.
 *
 * @param rows int32 [M]: only these rows are asked for
 * @returns [B*T, d] the heads' outputs side by side; of chosen rows [M, d]
 */
export function attendProjected(
  run: ForwardPass,
  name: string,
  { self, cross }: Projections,
  rows: tf.Tensor | null = null,
): tf.Tensor {
  const { batch, params, spec } = run;
  const { crossHeads } = spec;
  const heads = spec.config.decoder_num_heads;
  const groups = headGroups(run.part);
  const weights = (kind: "q" | "k") => ({
    gamma: params[`${name}.ln_${kind}.weight`],
    beta: params[`${name}.ln_${kind}.bias`],
  });
  const weighted: HeadNorms = { queries: true, keys: true, weights: { q: weights("q"), k: weights("k") } };
  const plain: HeadNorms = { queries: spec.config.with_qk_lnorm, keys: spec.config.with_qk_lnorm };
  // a block without cross attention is one of the encoder's kind
  const norms = params[`${name}.ln_q.weight`] ? weighted : plain;
  const outputs: tf.Tensor[] = [];
  if (self) {
    const [q, k, v] = columns(self, 3);
    const shape = { batch, heads: norms === plain ? heads : heads - crossHeads, groups };
    outputs.push(attend(run, place(name, 0), { q, k, v, norms }, shape, rows));
  }
  if (cross) {
    const [k, v] = columns(cross[1], 2);
    const shape = { batch, heads: crossHeads, groups };
    outputs.push(attend(run, place(name, 1), { q: only(cross[0]), k, v, norms }, shape, rows));
  }
  return joined(outputs);
}

/**
 * What ends a dense block: output projection of the heads, dropout, residual. Treats rows one by one.
 *
 * @param x [R, d] the residual stream
 * @param heads [R, h] the heads' outputs side by side
 * @returns [R, d]
 */
export function residual(run: ForwardPass, name: string, x: tf.Tensor, heads: tf.Tensor): tf.Tensor {
  return byRows(run, [x, heads], (run, [x, heads]) =>
    tf.add(x, drop(run, name, project(run, `${name}.proj_out`, heads))),
  );
}

const place = (block: string, source: number) => ({ block, source, axis: "all" as const });

/** [R, w] each -> [R, sum of w] */
const joined = (outputs: tf.Tensor[]): tf.Tensor => (outputs.length === 1 ? outputs[0] : tf.concat(outputs, 1));

/** Layer norm without weights. */
export const normRows = (run: ForwardPass, x: tf.Tensor): tf.Tensor => byRows(run, [x], (_, [x]) => layerNorm(x));

const projectRows = (run: ForwardPass, name: string, x: tf.Tensor): tf.Tensor =>
  byRows(run, [x], (run, [x]) => project(run, name, x));

/** [R, heads*parts*w], head by head: the columns of each part */
const columns = (x: tf.Tensor, parts: number): Columns[] =>
  Array.from({ length: parts }, (_, part) => ({ x, parts, part }));
