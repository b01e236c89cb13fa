/** The assembled network. */
import * as tf from "@tensorflow/tfjs-core";
import { gatherRows, samplesApart, uncut, wholeBatch } from "../engine/kernels/index.js";
import { decoderBlock, decoderEnd, decoderStart, tails } from "./decoder.js";
import { decoderBlocks } from "./decoderBlocks.js";
import { embed, encoderLayer } from "./encoder.js";
import type { ForwardPass } from "./forwardPass.js";
import type { ModelSpec } from "./spec.js";
import type { AttendedHeads, NetworkInputs, Params, Prediction } from "./types.js";

export interface ForwardOptions {
  /** run seed (below 2^32) and step; null or absent: evaluation, no dropout */
  dropoutSeed?: readonly [number, number] | null;
  /**
   * is shown intermediate results: `embed.F`, `encoder.l.F`, `decoder.P.k`, each [B*L*N, d]. The decoders' ends are then
   * computed for all rows, not just the chosen ones: the same predictions, but their dropout masks are others
   */
  trace?: (name: string, tensor: tf.Tensor) => void;
  /** is shown the weights of every attention block; they cost T x S numbers a head. Tensors end with the pass */
  attended?: (heads: AttendedHeads) => void;
}

/**
 * The network's predictions, one per predicted field. What follows the decoders' last heads is computed for the rows
 * that `inputs` asks for only. Every other tensor it makes is released, unless a gradient is being recorded.
 */
export function forward(
  params: Params,
  spec: ModelSpec,
  inputs: NetworkInputs,
  { dropoutSeed = null, trace, attended }: ForwardOptions = {},
): Prediction[] {
  return tf.tidy(() => {
    const batch = inputs.fields[0].tokens.shape[0];
    // whoever looks inside sees all samples at once
    const part = trace || attended ? uncut() : wholeBatch();
    const whole: ForwardPass = { params, spec, batch, dropoutSeed, attended, part };
    const streams = samplesApart(part, inputs.fields, (part, fields, batch) =>
      decoded({ ...whole, part, batch }, fields, trace),
    );
    // a compiled graph has to fit every choice of rows, also one of a single sample's: groups of samples end here
    return spec.predicted.map((_, p) => {
      const rows = inputs.rows[p];
      return tails(whole, p, trace ? gatherRows(streams[p][0], rows) : decoderEnd(whole, p, streams[p], rows));
    }) as unknown as tf.TensorContainer;
  }) as unknown as Prediction[];
}

/** Per predicted field what `decoderStart` returns, [B*L*N, d] each; with `trace` the decoder's output alone. */
function decoded(run: ForwardPass, fields: NetworkInputs["fields"], trace: ForwardOptions["trace"]): tf.Tensor[][] {
  const { spec } = run;
  let xs = fields.map((field, f) => embed(run, f, field));
  for (const [f, x] of xs.entries()) trace?.(`embed.${f}`, x);
  const encoded: tf.Tensor[][] = [];
  for (let layer = 0; layer < spec.config.encoder_num_layers; layer++) {
    xs = encoderLayer(run, layer, xs);
    encoded.push(xs);
    for (const [f, x] of xs.entries()) trace?.(`encoder.${layer}.${f}`, x);
  }
  return spec.predicted.map((f, p) => {
    const field = encoded.map((layer) => layer[f]);
    if (!trace) return decoderStart(run, p, xs[f], field);
    let x = xs[f];
    for (const block of decoderBlocks(spec)) {
      x = decoderBlock(run, p, block, x, field);
      trace(`decoder.${p}.${block.index}`, x);
    }
    return [x];
  });
}
