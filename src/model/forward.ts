/** The assembled network. */
import * as tf from "@tensorflow/tfjs-core";
import type { AttendedHeads } from "./attend.js";
import { decoderBlock, tails } from "./decoder.js";
import { decoderBlocks } from "./decoderBlocks.js";
import { embed, encoderLayer } from "./encoder.js";
import type { Run } from "./run.js";
import type { ModelSpec } from "./spec.js";
import type { NetworkInputs, Params, Prediction } from "./types.js";

export interface ForwardOptions {
  /** run seed (below 2^32) and step; null or absent: evaluation, no dropout */
  dropoutSeed?: readonly [number, number] | null;
  /** is shown intermediate results: `embed.F`, `encoder.l.F`, `decoder.P.k`, each [B*L*N, d] */
  trace?: (name: string, tensor: tf.Tensor) => void;
  /** is shown the weights of every attention block; they cost T x S numbers a head. Tensors end with the pass */
  attended?: (heads: AttendedHeads) => void;
}

/**
 * The network's predictions, one per predicted field. Every other tensor it makes is released, unless a gradient is
 * being recorded.
 */
export function forward(
  params: Params,
  spec: ModelSpec,
  inputs: NetworkInputs,
  { dropoutSeed = null, trace = () => {}, attended }: ForwardOptions = {},
): Prediction[] {
  return tf.tidy(() => {
    const run: Run = { params, spec, batch: inputs.fields[0].tokens.shape[0], dropoutSeed, attended };
    let xs = inputs.fields.map((field, f) => embed(run, f, field));
    for (const [f, x] of xs.entries()) trace(`embed.${f}`, x);
    const encoded: tf.Tensor[][] = [];
    for (let layer = 0; layer < spec.encoder.layers; layer++) {
      xs = encoderLayer(run, layer, xs);
      encoded.push(xs);
      for (const [f, x] of xs.entries()) trace(`encoder.${layer}.${f}`, x);
    }
    return spec.predicted.map((f, p) => {
      const field = encoded.map((layer) => layer[f]);
      let x = xs[f];
      for (const block of decoderBlocks(spec)) {
        x = decoderBlock(run, p, block, x, field);
        trace(`decoder.${p}.${block.index}`, x);
      }
      return tails(run, p, x, inputs.rows[p]);
    }) as unknown as tf.TensorContainer;
  }) as unknown as Prediction[];
}
