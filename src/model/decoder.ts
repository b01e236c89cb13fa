/** Decoder and tails of a predicted field. */
import * as tf from "@tensorflow/tfjs-core";
import { ensembleMean, ensembleStd, gatherRows, gelu, layerNorm } from "../engine/kernels/index.js";
import { type AxialSource, axialAttention, gridOf } from "./axial.js";
import type { DecoderBlock } from "./decoderBlocks.js";
import { coupledAttention, decoderAttention } from "./dense.js";
import { mlp } from "./mlp.js";
import { project, type Run, recomputed } from "./run.js";
import type { Prediction } from "./types.js";

/**
 * One block of the decoder of predicted field `p`.
 *
 * @param x [B*L*N, d]
 * @param encoded per encoder layer, the field's [B*L*N, d]
 */
export function decoderBlock(run: Run, p: number, block: DecoderBlock, x: tf.Tensor, encoded: tf.Tensor[]): tf.Tensor {
  const name = `decoders.${p}.blocks.${block.index}`;
  const inputs = block.kind === "cross" ? [x, encoded[block.encoderLayer]] : [x];
  return recomputed(run, name, inputs, (run, [x, source]) => {
    if (block.kind === "mlp") return mlp(run, name, x, run.spec.decoder.mlpLayers);
    return attentionBlock(run, name, p, x, block.kind === "cross" ? source : null);
  });
}

/** @param encoded [B*L*N, d] output of an encoder layer that cross heads attend to; null: self heads only */
function attentionBlock(run: Run, name: string, p: number, x: tf.Tensor, encoded: tf.Tensor | null): tf.Tensor {
  const { decoder, fields, predicted, withLayerNorm } = run.spec;
  if (decoder.attention === "dense") {
    if (encoded) return decoderAttention(run, name, x, encoded);
    return coupledAttention(run, name, x, withLayerNorm ? layerNorm(x) : x, [], decoder.heads);
  }
  const grid = gridOf(fields[predicted[p]]);
  const crossHeads = encoded ? decoder.crossHeads : 0;
  const sources: AxialSource[] = [];
  if (crossHeads < decoder.heads) sources.push({ tokens: null, grid, heads: decoder.heads - crossHeads });
  if (encoded && crossHeads > 0) sources.push({ tokens: layerNorm(encoded), grid, heads: crossHeads });
  return axialAttention(run, name, x, layerNorm(x), grid, sources, decoder.attention === "axial_parallel");
}

/**
 * The ensemble of tail networks on chosen rows.
 *
 * @param x [B*L*N, d]
 * @param rows int32 [M]
 */
export function tails(run: Run, p: number, x: tf.Tensor, rows: tf.Tensor): Prediction {
  const { members, layers } = run.spec.tail;
  const chosen = gatherRows(x, rows);
  const outputs = Array.from({ length: members }, (_, e) => {
    const name = `tails.${p}.tail_nets.${e}`;
    let y = layerNorm(chosen, run.params[`${name}.0.weight`], run.params[`${name}.0.bias`]);
    for (let i = 0; i < layers; i++) y = gelu(project(run, `${name}.${1 + 2 * i}`, y));
    return project(run, `${name}.${1 + 2 * layers}`, y);
  });
  const ens = tf.stack(outputs, 1);
  return { mean: ensembleMean(ens), std: ensembleStd(ens), ens };
}
