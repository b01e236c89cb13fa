/** Decoder and tails of a predicted field. */
import * as tf from "@tensorflow/tfjs-core";
import { ensembleMoments, gatherRows, gelu, layerNorm } from "../engine/kernels/index.js";
import { ATTENTION } from "./attention/table.js";
import { type DecoderBlock, decoderBlocks } from "./decoderBlocks.js";
import { type ForwardPass, project, recomputed } from "./forwardPass.js";
import { mlp } from "./mlp.js";
import { decoderBlockName, tailName } from "./names.js";
import type { ModelSpec } from "./spec.js";
import type { Prediction } from "./types.js";

/**
 * The decoder of predicted field `p` as far as all tokens are needed: up to its last MLP and, where
 * the kind of attention allows it (`onRows`), up to the projections of the last heads. `decoderEnd` is the rest.
 *
 * @param x [B*L*N, d]
 * @param encoded per encoder layer, the field's [B*L*N, d]
 * @returns the residual stream [B*L*N, d], then the projections if any, [B*L*N, ...] each
 */
export function decoderStart(run: ForwardPass, p: number, x: tf.Tensor, encoded: tf.Tensor[]): tf.Tensor[] {
  const { before, attention } = splitBlocks(run.spec);
  const stream = before.reduce((x, block) => decoderBlock(run, p, block, x, encoded), x);
  const { onRows } = ATTENTION[run.spec.config.decoder_att_type];
  if (!onRows) return [decoderBlock(run, p, attention, stream, encoded)];
  const [input, source] = blockInputs(attention, stream, encoded);
  return [stream, ...onRows.project(run, decoderBlockName(p, attention.index), input, source)];
}

/**
 * The end of a decoder on chosen rows alone: queries of the last heads, and what treats rows one by one. Its dropout
 * masks are those of the chosen rows' places in the choice, not in the batch; see `drop`.
 *
 * @param parts what `decoderStart` returns, of all samples
 * @param rows int32 [M]
 * @returns [M, d]
 */
export function decoderEnd(run: ForwardPass, p: number, [x, ...projections]: tf.Tensor[], rows: tf.Tensor): tf.Tensor {
  const { attention, end } = splitBlocks(run.spec);
  const chosen = gatherRows(x, rows);
  const { onRows } = ATTENTION[run.spec.config.decoder_att_type];
  if (!onRows) return decoderBlock(run, p, end, chosen, []);
  const attended = onRows.attend(run, decoderBlockName(p, attention.index), chosen, projections, rows);
  return decoderBlock(run, p, end, attended, []);
}

/**
 * One block of the decoder of predicted field `p`.
 *
 * @param x [B*L*N, d]
 * @param encoded per encoder layer, the field's [B*L*N, d]
 */
export function decoderBlock(
  run: ForwardPass,
  p: number,
  block: DecoderBlock,
  x: tf.Tensor,
  encoded: tf.Tensor[],
): tf.Tensor {
  const name = decoderBlockName(p, block.index);
  return recomputed(run, name, blockInputs(block, x, encoded), (run, [x, source]) => {
    if (block.kind === "mlp") return mlp(run, name, x, run.spec.config.decoder_num_mlp_layers);
    return ATTENTION[run.spec.config.decoder_att_type].decoderBlock(run, name, p, x, source);
  });
}

const blockInputs = (block: DecoderBlock, x: tf.Tensor, encoded: tf.Tensor[]): [tf.Tensor, ...tf.Tensor[]] =>
  block.kind === "cross" ? [x, encoded[block.encoderLayer]] : [x];

/** The decoder's blocks: those before the last attention block, it, and the MLP behind it. */
function splitBlocks(spec: ModelSpec): { before: DecoderBlock[]; attention: DecoderBlock; end: DecoderBlock } {
  const before = decoderBlocks(spec);
  const [attention, end] = before.splice(-2);
  return { before, attention, end };
}

/**
 * The ensemble of tail networks.
 *
 * @param x [M, d] chosen rows of the decoder's output
 */
export function tails(run: ForwardPass, p: number, x: tf.Tensor): Prediction {
  const { net_tail_num_nets: members, net_tail_num_layers: layers } = run.spec.config;
  const outputs = Array.from({ length: members }, (_, e) => {
    const name = tailName(p, e);
    let y = layerNorm(x, run.params[`${name}.0.weight`], run.params[`${name}.0.bias`]);
    for (let i = 0; i < layers; i++) y = gelu(project(run, `${name}.${1 + 2 * i}`, y));
    return project(run, `${name}.${1 + 2 * layers}`, y);
  });
  const ens = tf.stack(outputs, 1);
  return { ...ensembleMoments(ens), ens };
}
