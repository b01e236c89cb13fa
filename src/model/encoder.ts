/** Embedding and encoder. */
import * as tf from "@tensorflow/tfjs-core";
import { ATTENTION } from "./attention/table.js";
import { type ForwardPass, project, recomputed } from "./forwardPass.js";
import { mlp } from "./mlp.js";
import { embedName, encoderHeadsName, encoderMlpName, infoName } from "./names.js";
import type { NetworkInputs } from "./types.js";

/**
 * Tokens and their infos side by side, plus the position code.
 *
 * @returns [B*L*N, d]
 */
export function embed(run: ForwardPass, f: number, { tokens, infos }: NetworkInputs["fields"][number]): tf.Tensor {
  const { L, N, D, width, positions } = run.spec.fields[f];
  const rows = run.batch * L * N;
  const values = project(run, embedName(f), tf.reshape(tokens, [rows, D]));
  const info = project(run, infoName(f), tf.reshape(infos, [rows, run.spec.config.size_token_info]));
  const joined = tf.reshape(tf.concat([values, info], 1), [run.batch, L * N * width]);
  return tf.reshape(tf.add(joined, tf.tensor(positions, [1, L * N * width])), [rows, width]);
}

/**
 * One encoder layer for all fields: every attention block reads the layer's input, then the MLPs follow.
 *
 * @param xs per field [B*L*N, d]
 */
export function encoderLayer(run: ForwardPass, layer: number, xs: tf.Tensor[]): tf.Tensor[] {
  const { encoderBlock } = ATTENTION[run.spec.config.encoder_att_type];
  const attended = xs.map((x, f) => {
    const name = encoderHeadsName(f, layer);
    const others = run.spec.fields[f].coupled.map((other) => xs[other]);
    return recomputed(run, name, [x, ...others], (run, [x, ...others]) => encoderBlock(run, name, f, x, others));
  });
  return attended.map((x, f) => {
    const name = encoderMlpName(f, layer);
    return recomputed(run, name, [x], (run, [x]) => mlp(run, name, x, run.spec.config.encoder_num_mlp_layers));
  });
}
