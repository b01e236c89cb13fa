/** Axial attention: along the places of a time and level, along time, along levels. */
import type * as tf from "@tensorflow/tfjs-core";
import { layerNorm } from "../../engine/kernels/index.js";
import type { ForwardPass } from "../forwardPass.js";
import { linearEntry, type ParameterEntry } from "../parameterEntries.js";
import { encoderHeadCount, type ModelSpec } from "../spec.js";
import { type AxialSource, axialAttention, gridOf } from "./axialHeads.js";
import type { AttentionKind } from "./kind.js";

/** @param parallel the axes side by side; else one after the other */
export const axial = ({ parallel }: { parallel: boolean }): AttentionKind => ({
  parameters: { encoder, decoderSelf, decoderCross },
  encoderBlock: (pass, name, f, x, others) => encoderBlock(pass, name, f, x, others, parallel),
  decoderBlock: (pass, name, p, x, encoded) => decoderBlock(pass, name, p, x, encoded, parallel),
});

function encoderBlock(
  pass: ForwardPass,
  name: string,
  f: number,
  x: tf.Tensor,
  others: tf.Tensor[],
  parallel: boolean,
): tf.Tensor {
  const { fields, config } = pass.spec;
  const [own, ...coupled] = [x, ...others].map((tokens) => (config.with_layernorm ? layerNorm(tokens) : tokens));
  const grid = gridOf(fields[f]);
  const sources = [
    { tokens: null, grid, heads: config.encoder_num_heads },
    ...coupled.map((tokens, i) => ({
      tokens,
      grid: gridOf(fields[fields[f].coupled[i]]),
      heads: config.coupling_num_heads_per_field,
    })),
  ];
  return axialAttention(pass, name, x, own, grid, sources, parallel);
}

function decoderBlock(
  pass: ForwardPass,
  name: string,
  p: number,
  x: tf.Tensor,
  encoded: tf.Tensor | undefined,
  parallel: boolean,
): tf.Tensor {
  const { config, fields, predicted } = pass.spec;
  const heads = config.decoder_num_heads;
  const grid = gridOf(fields[predicted[p]]);
  const crossHeads = encoded ? pass.spec.crossHeads : 0;
  const sources: AxialSource[] = [];
  if (crossHeads < heads) sources.push({ tokens: null, grid, heads: heads - crossHeads });
  if (encoded && crossHeads > 0) sources.push({ tokens: layerNorm(encoded), grid, heads: crossHeads });
  return axialAttention(pass, name, x, layerNorm(x), grid, sources, parallel);
}

function encoder(table: ParameterEntry[], spec: ModelSpec, f: number, name: string): void {
  const { width, coupled } = spec.fields[f];
  const headWidth = width / encoderHeadCount(spec);
  const sources = [width, ...coupled.map((other) => spec.fields[other].width)];
  const { encoder_num_heads: heads, coupling_num_heads_per_field: couplingHeads } = spec.config;
  const inner = [heads * headWidth, ...coupled.map(() => couplingHeads * headWidth)];
  axialEntries(table, name, width, sources, inner);
}

function decoderSelf(table: ParameterEntry[], _spec: ModelSpec, width: number, name: string): void {
  axialEntries(table, name, width, [width], [width]);
}

function decoderCross(table: ParameterEntry[], spec: ModelSpec, width: number, name: string): void {
  const cross = spec.crossHeads * (width / spec.config.decoder_num_heads);
  const inner = [width - cross, cross].filter((columns) => columns > 0);
  axialEntries(table, name, width, [width, width].slice(0, inner.length), inner);
}

/** Per axis, queries and keys of each source, then one output layer. */
function axialEntries(table: ParameterEntry[], name: string, width: number, sources: number[], inner: number[]): void {
  for (let axis = 0; axis < 3; axis++) {
    for (const [i, source] of sources.entries()) {
      linearEntry(table, `${name}.axial_attentions.${axis}.${i}.fn.to_q`, inner[i], width, false);
      linearEntry(table, `${name}.axial_attentions.${axis}.${i}.fn.to_kv`, 2 * inner[i], source, false);
    }
  }
  const columns = inner.reduce((a, b) => a + b, 0);
  for (let axis = 0; axis < 3; axis++) linearEntry(table, `${name}.to_outs.${axis}`, width, columns, true);
}
