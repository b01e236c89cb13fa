/** The assembled network. */
import * as tf from "@tensorflow/tfjs-core";
import { gatherRows, WHOLE } from "../engine/kernels/index.js";
import type { AttendedHeads } from "./attend.js";
import { decoderBlock, decoderEnd, decoderStart, tails } from "./decoder.js";
import { decoderBlocks } from "./decoderBlocks.js";
import { embed, encoderLayer } from "./encoder.js";
import type { Run } from "./run.js";
import type { ModelSpec } from "./spec.js";
import type { NetworkInputs, Params, Prediction } from "./types.js";

export interface ForwardOptions {
  /** run seed (below 2^32) and step; null or absent: evaluation, no dropout */
  dropoutSeed?: readonly [number, number] | null;
  /**
   * is shown intermediate results: `embed.F`, `encoder.l.F`, `decoder.P.k`, each [B*L*N, d]. The decoders' ends are then
   * computed for all rows, not just the chosen ones: the same predictions, but their dropout masks are others
   */
  trace?: (name: string, tensor: tf.Tensor) => void;
  /** groups of samples, or of tokens, that an engine can compute side by side; 1 (default): all at once */
  lanes?: number;
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
  { dropoutSeed = null, trace, attended, lanes = 1 }: ForwardOptions = {},
): Prediction[] {
  return tf.tidy(() => {
    const samples = inputs.fields[0].tokens.shape[0];
    const whole: Run = {
      params,
      spec,
      batch: samples,
      dropoutSeed,
      attended,
      lane: WHOLE,
      rowLanes: lanes,
      joined: new WeakMap(),
    };
    // with an odd number of samples the rows of one are split where they do not depend on each other
    const sampleLanes = samples % lanes === 0 ? lanes : 1;
    const rowLanes = sampleLanes === 1 ? lanes : 1;
    const outputs = splitSamples(inputs.fields, sampleLanes).map((fields, index) => {
      const lane = { index, lanes: sampleLanes };
      return decoded({ ...whole, batch: samples / sampleLanes, lane, rowLanes }, fields, trace);
    });
    return spec.predicted.map((_, p) => {
      // a compiled graph has to fit every choice, also one of a single sample's rows: lanes of samples end here
      const parts = joinLanes(outputs.map((lane) => lane[p]));
      const rows = inputs.rows[p];
      return tails(whole, p, trace ? gatherRows(parts[0], rows) : decoderEnd(whole, p, parts, rows));
    }) as unknown as tf.TensorContainer;
  }) as unknown as Prediction[];
}

/** Per lane, its samples of each field. */
function splitSamples(fields: NetworkInputs["fields"], lanes: number): NetworkInputs["fields"][] {
  if (lanes === 1) return [fields];
  const split = fields.map(({ tokens, infos }) => ({ tokens: tf.split(tokens, lanes), infos: tf.split(infos, lanes) }));
  return Array.from({ length: lanes }, (_, i) =>
    split.map(({ tokens, infos }) => ({ tokens: tokens[i], infos: infos[i] })),
  );
}

/** Per tensor of a lane, that of all samples. */
const joinLanes = (lanes: tf.Tensor[][]): tf.Tensor[] =>
  lanes.length === 1 ? lanes[0] : lanes[0].map((_, i) => tf.concat(lanes.map((lane) => lane[i])));

/** Per predicted field what `decoderStart` returns, [B*L*N, d] each; with `trace` the decoder's output alone. */
function decoded(run: Run, fields: NetworkInputs["fields"], trace: ForwardOptions["trace"]): tf.Tensor[][] {
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
