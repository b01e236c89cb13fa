/** Embedding and encoder. */
import * as tf from "@tensorflow/tfjs-core";
import { layerNorm } from "../engine/kernels/index.js";
import { axialAttention, gridOf } from "./axial.js";
import { coupledHeads, normRows, residual } from "./dense.js";
import { mlp } from "./mlp.js";
import { project, type Run, recomputed } from "./run.js";
import type { NetworkInputs } from "./types.js";

/**
 * Tokens and their infos side by side, plus the position code.
 *
 * @returns [B*L*N, d]
 */
export function embed(run: Run, f: number, { tokens, infos }: NetworkInputs["fields"][number]): tf.Tensor {
  const { L, N, D, width, positions } = run.spec.fields[f];
  const rows = run.batch * L * N;
  const values = project(run, `embeds.${f}`, tf.reshape(tokens, [rows, D]));
  const info = project(run, `embeds_token_info.${f}`, tf.reshape(infos, [rows, run.spec.config.size_token_info]));
  const joined = tf.reshape(tf.concat([values, info], 1), [run.batch, L * N * width]);
  return tf.reshape(tf.add(joined, tf.tensor(positions, [1, L * N * width])), [rows, width]);
}

/**
 * One encoder layer for all fields: every attention block reads the layer's input, then the MLPs follow.
 *
 * @param xs per field [B*L*N, d]
 */
export function encoderLayer(run: Run, layer: number, xs: tf.Tensor[]): tf.Tensor[] {
  const attended = xs.map((x, f) => {
    const name = `encoders.${f}.heads.${layer}`;
    const others = run.spec.fields[f].coupled.map((other) => xs[other]);
    return recomputed(run, name, [x, ...others], (run, [x, ...others]) => encoderAttention(run, name, f, x, others));
  });
  return attended.map((x, f) => {
    const name = `encoders.${f}.mlps.${layer}`;
    return recomputed(run, name, [x], (run, [x]) => mlp(run, name, x, run.spec.config.encoder_num_mlp_layers));
  });
}

/** Attention of field `f` to itself and to the fields it is coupled to. */
function encoderAttention(run: Run, name: string, f: number, x: tf.Tensor, others: tf.Tensor[]): tf.Tensor {
  const { fields, config } = run.spec;
  const heads = config.encoder_num_heads;
  const dense = config.encoder_att_type === "dense";
  const normed = (tokens: tf.Tensor) => (dense ? normRows(run, tokens) : layerNorm(tokens));
  const [own, ...coupled] = [x, ...others].map((tokens) => (config.with_layernorm ? normed(tokens) : tokens));
  if (dense) {
    return residual(run, name, x, coupledHeads(run, name, own, coupled, heads));
  }
  const grid = gridOf(fields[f]);
  const sources = [
    { tokens: null, grid, heads },
    ...coupled.map((tokens, i) => ({
      tokens,
      grid: gridOf(fields[fields[f].coupled[i]]),
      heads: config.coupling_num_heads_per_field,
    })),
  ];
  return axialAttention(run, name, x, own, grid, sources, config.encoder_att_type === "axial_parallel");
}
