/** Decoder and tails of a predicted field. */
import * as tf from "@tensorflow/tfjs-core";
import { ensembleMoments, gatherRows, gelu, layerNorm } from "../engine/kernels/index.js";
import { type AxialSource, axialAttention, gridOf } from "./axial.js";
import { type DecoderBlock, decoderBlocks } from "./decoderBlocks.js";
import { attendProjected, decoderHeads, decoderProjections, type Projections, residual } from "./dense.js";
import { mlp } from "./mlp.js";
import { project, type Run, recomputed } from "./run.js";
import type { ModelSpec } from "./spec.js";
import type { Prediction } from "./types.js";

/**
 * The decoder of predicted field `p` as far as all tokens are needed: up to its last MLP and, with dense attention, up
 * to the projections of the last heads. `decoderEnd` is the rest.
 *
 * @param x [B*L*N, d]
 * @param encoded per encoder layer, the field's [B*L*N, d]
 * @returns the residual stream [B*L*N, d]; with dense attention also the projections, [B*L*N, ...] each
 */
export function decoderStart(run: Run, p: number, x: tf.Tensor, encoded: tf.Tensor[]): tf.Tensor[] {
  const { before, attention } = splitBlocks(run.spec);
  const stream = before.reduce((x, block) => decoderBlock(run, p, block, x, encoded), x);
  if (run.spec.config.decoder_att_type !== "dense") return [decoderBlock(run, p, attention, stream, encoded)];
  const { self, cross } = decoderProjections(run, blockName(p, attention), ...blockInputs(attention, stream, encoded));
  return [stream, ...(self ? [self] : []), ...(cross ?? [])];
}

/**
 * The end of a decoder on chosen rows alone: queries of the last heads, and what treats rows one by one. Its dropout
 * masks are those of the chosen rows' places in the choice, not in the batch; see `drop`.
 *
 * @param parts what `decoderStart` returns, of all samples
 * @param rows int32 [M]
 * @returns [M, d]
 */
export function decoderEnd(run: Run, p: number, [x, ...projections]: tf.Tensor[], rows: tf.Tensor): tf.Tensor {
  const { attention, end } = splitBlocks(run.spec);
  const chosen = gatherRows(x, rows);
  if (projections.length === 0) return decoderBlock(run, p, end, chosen, []);
  const name = blockName(p, attention);
  const heads = attendProjected(run, name, projectionsOf(projections), rows);
  const attended = recomputed(run, `${name}.${OUTPUT}`, [chosen, heads], (run, [x, heads]) =>
    residual(run, name, x, heads),
  );
  return decoderBlock(run, p, end, attended, []);
}

/** Cross heads come as two tensors, self heads as one. */
const projectionsOf = (tensors: tf.Tensor[]): Projections => {
  const [queries, keysAndValues] = tensors.slice(-2);
  const crossed = tensors.length > 1;
  return { self: tensors.length === 2 ? null : tensors[0], cross: crossed ? [queries, keysAndValues] : null };
};

/**
 * One block of the decoder of predicted field `p`.
 *
 * @param x [B*L*N, d]
 * @param encoded per encoder layer, the field's [B*L*N, d]
 */
export function decoderBlock(run: Run, p: number, block: DecoderBlock, x: tf.Tensor, encoded: tf.Tensor[]): tf.Tensor {
  const name = blockName(p, block);
  return recomputed(run, name, blockInputs(block, x, encoded), (run, [x, source]) => {
    if (block.kind === "mlp") return mlp(run, name, x, run.spec.config.decoder_num_mlp_layers);
    if (run.spec.config.decoder_att_type === "dense") return residual(run, name, x, decoderHeads(run, name, x, source));
    return axialBlock(run, name, p, x, source);
  });
}

/** What follows a dense block's heads, by its name within the block. */
const OUTPUT = "proj_out";

const blockName = (p: number, { index }: DecoderBlock): string => `decoders.${p}.blocks.${index}`;

const blockInputs = (block: DecoderBlock, x: tf.Tensor, encoded: tf.Tensor[]): [tf.Tensor, ...tf.Tensor[]] =>
  block.kind === "cross" ? [x, encoded[block.encoderLayer]] : [x];

/** The decoder's blocks: those before the last attention block, it, and the MLP behind it. */
function splitBlocks(spec: ModelSpec): { before: DecoderBlock[]; attention: DecoderBlock; end: DecoderBlock } {
  const before = decoderBlocks(spec);
  const [attention, end] = before.splice(-2);
  return { before, attention, end };
}

/** @param encoded [B*L*N, d] output of an encoder layer that cross heads attend to; none: self heads only */
function axialBlock(run: Run, name: string, p: number, x: tf.Tensor, encoded: tf.Tensor | undefined): tf.Tensor {
  const { config, fields, predicted } = run.spec;
  const heads = config.decoder_num_heads;
  const grid = gridOf(fields[predicted[p]]);
  const crossHeads = encoded ? run.spec.crossHeads : 0;
  const sources: AxialSource[] = [];
  if (crossHeads < heads) sources.push({ tokens: null, grid, heads: heads - crossHeads });
  if (encoded && crossHeads > 0) sources.push({ tokens: layerNorm(encoded), grid, heads: crossHeads });
  return axialAttention(run, name, x, layerNorm(x), grid, sources, config.decoder_att_type === "axial_parallel");
}

/**
 * The ensemble of tail networks.
 *
 * @param x [M, d] chosen rows of the decoder's output
 */
export function tails(run: Run, p: number, x: tf.Tensor): Prediction {
  const { net_tail_num_nets: members, net_tail_num_layers: layers } = run.spec.config;
  const outputs = Array.from({ length: members }, (_, e) => {
    const name = `tails.${p}.tail_nets.${e}`;
    let y = layerNorm(x, run.params[`${name}.0.weight`], run.params[`${name}.0.bias`]);
    for (let i = 0; i < layers; i++) y = gelu(project(run, `${name}.${1 + 2 * i}`, y));
    return project(run, `${name}.${1 + 2 * layers}`, y);
  });
  const ens = tf.stack(outputs, 1);
  return { ...ensembleMoments(ens), ens };
}
