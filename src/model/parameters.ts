/** The table of a network's parameters: names, shapes and initial values, in the reference's order. */
import { derive } from "../random/index.js";
import { decoderBlocks } from "./decoderBlocks.js";
import { encoderHeadCount, type ModelSpec } from "./spec.js";
import type { PlainParams } from "./types.js";

/** `uniform`: within +-bound; `zeros`, `ones` */
export type Init = { kind: "uniform"; bound: number } | { kind: "zeros" } | { kind: "ones" };

export interface ParameterEntry {
  name: string;
  shape: number[];
  init: Init;
  /**
   * false if no prediction depends on it: `embed_token_info.*`, which the reference keeps in its files and never uses,
   * and the last encoder layers of fields that are not predicted
   */
  trainable: boolean;
}

/** Every parameter, in the reference's order. */
export function parameterTable(spec: ModelSpec): ParameterEntry[] {
  const table: ParameterEntry[] = [];
  const { size_token_info: size, size_token_info_net: infoWidth } = spec.config;
  infoEmbedding(table, "embed_token_info", size, infoWidth, false);
  const [embedded, ...layers] = usedFields(spec);
  for (const f of spec.fields.keys()) {
    infoEmbedding(table, `embeds_token_info.${f}`, size, infoWidth, embedded.has(f));
  }
  for (const [f, { width, D }] of spec.fields.entries()) {
    markUnused(table, embedded.has(f), () => linearEntry(table, `embeds.${f}`, width - infoWidth, D, true));
  }
  for (const [f, { width }] of spec.fields.entries()) {
    for (const [l, used] of layers.entries()) {
      markUnused(table, used.has(f), () => encoderAttention(table, spec, f, `encoders.${f}.heads.${l}`));
    }
    for (const [l, used] of layers.entries()) {
      markUnused(table, used.has(f), () =>
        mlpEntries(table, `encoders.${f}.mlps.${l}`, width, spec.config.encoder_num_mlp_layers),
      );
    }
  }
  for (const [p, f] of spec.predicted.entries()) {
    for (const { kind, index } of decoderBlocks(spec)) {
      const name = `decoders.${p}.blocks.${index}`;
      const { width } = spec.fields[f];
      if (kind === "mlp") mlpEntries(table, name, width, spec.config.decoder_num_mlp_layers);
      else if (kind === "self") decoderSelfAttention(table, spec, width, name);
      else decoderAttention(table, spec, width, name);
    }
  }
  for (const [p, f] of spec.predicted.entries()) {
    for (let e = 0; e < spec.config.net_tail_num_nets; e++) tailEntries(table, spec, f, `tails.${p}.tail_nets.${e}`);
  }
  return table;
}

/**
 * Initial values: linear layers uniform in +-1/sqrt(fan_in), layer norms 1 and 0, token-info embeddings 0. Each
 * parameter draws from a stream of its own, derived from the seed and its name.
 */
export function initParameters(spec: ModelSpec, seed: number): PlainParams {
  const params: PlainParams = new Map();
  for (const { name, shape, init } of parameterTable(spec)) {
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
    if (init.kind === "ones") data.fill(1);
    if (init.kind === "uniform") {
      const generator = derive(seed, "parameter", name);
      for (let i = 0; i < data.length; i++) data[i] = init.bound * (2 * generator.random() - 1);
    }
    params.set(name, { shape, data });
  }
  return params;
}

/** Number of parameters, untrained ones included, as the reference counts them. */
export const countParameters = (spec: ModelSpec): number =>
  parameterTable(spec).reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);

/** Fields whose embedding, then whose output of each encoder layer, some prediction depends on. */
function usedFields({ fields, predicted, config }: ModelSpec): Set<number>[] {
  const used = [new Set(predicted)];
  for (let layer = config.encoder_num_layers; layer > 0; layer--) {
    const readers = [...used[0]];
    used.unshift(new Set(readers.flatMap((f) => [f, ...fields[f].coupled])));
  }
  return used;
}

/** Adds entries and marks them untrained unless they are used. */
function markUnused(table: ParameterEntry[], used: boolean, add: () => void): void {
  const first = table.length;
  add();
  if (!used) for (const entry of table.slice(first)) entry.trainable = false;
}

function linearEntry(table: ParameterEntry[], name: string, out: number, fanIn: number, bias: boolean): void {
  const init: Init = { kind: "uniform", bound: 1 / Math.sqrt(fanIn) };
  table.push({ name: `${name}.weight`, shape: [out, fanIn], init, trainable: true });
  if (bias) table.push({ name: `${name}.bias`, shape: [out], init, trainable: true });
}

function normEntry(table: ParameterEntry[], name: string, width: number): void {
  table.push({ name: `${name}.weight`, shape: [width], init: { kind: "ones" }, trainable: true });
  table.push({ name: `${name}.bias`, shape: [width], init: { kind: "zeros" }, trainable: true });
}

function infoEmbedding(table: ParameterEntry[], name: string, size: number, width: number, trainable: boolean): void {
  table.push({ name: `${name}.weight`, shape: [width, size], init: { kind: "zeros" }, trainable });
  table.push({ name: `${name}.bias`, shape: [width], init: { kind: "zeros" }, trainable });
}

function encoderAttention(table: ParameterEntry[], spec: ModelSpec, f: number, name: string): void {
  const { width, coupled } = spec.fields[f];
  const { encoder_num_heads: heads, encoder_att_type: attention } = spec.config;
  const headWidth = width / encoderHeadCount(spec);
  const crossWidth = spec.config.coupling_num_heads_per_field * headWidth;
  if (attention !== "dense") {
    const sources = [width, ...coupled.map((other) => spec.fields[other].width)];
    axialEntries(table, name, width, sources, [heads * headWidth, ...coupled.map(() => crossWidth)]);
    return;
  }
  linearEntry(table, `${name}.proj_out`, width, width + coupled.length * crossWidth, false);
  linearEntry(table, `${name}.proj_heads`, 3 * width, width, false);
  if (coupled.length === 0) return;
  linearEntry(table, `${name}.proj_heads_other.0`, coupled.length * crossWidth, width, false);
  for (const [i, other] of coupled.entries()) {
    linearEntry(table, `${name}.proj_heads_other.${i + 1}`, 2 * crossWidth, spec.fields[other].width, false);
  }
}

function decoderAttention(table: ParameterEntry[], spec: ModelSpec, width: number, name: string): void {
  const { decoder_num_heads: heads, decoder_att_type: attention } = spec.config;
  const headWidth = width / heads;
  const cross = spec.crossHeads * headWidth;
  const self = width - cross;
  if (attention !== "dense") {
    const inner = [self, cross].filter((columns) => columns > 0);
    axialEntries(table, name, width, [width, width].slice(0, inner.length), inner);
    return;
  }
  if (self > 0) linearEntry(table, `${name}.proj_heads`, 3 * self, width, false);
  if (cross > 0) {
    linearEntry(table, `${name}.proj_heads_o_q`, cross, width, false);
    linearEntry(table, `${name}.proj_heads_o_kv`, 2 * cross, width, false);
  }
  normEntry(table, `${name}.ln_q`, headWidth);
  normEntry(table, `${name}.ln_k`, headWidth);
  linearEntry(table, `${name}.proj_out`, width, width, false);
}

function decoderSelfAttention(table: ParameterEntry[], spec: ModelSpec, width: number, name: string): void {
  if (spec.config.decoder_att_type !== "dense") {
    axialEntries(table, name, width, [width], [width]);
    return;
  }
  linearEntry(table, `${name}.proj_out`, width, width, false);
  linearEntry(table, `${name}.proj_heads`, 3 * width, width, false);
}

/** Axial attention: per axis, queries and keys of each source, then one output layer. */
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

function mlpEntries(table: ParameterEntry[], name: string, width: number, layers: number): void {
  for (let i = 0; i < layers; i++) {
    const out = i === layers - 1 ? width : 2 * width;
    linearEntry(table, `${name}.blocks.${3 * i}`, out, i === 0 ? width : 2 * width, true);
  }
}

function tailEntries(table: ParameterEntry[], spec: ModelSpec, f: number, name: string): void {
  const { width, D } = spec.fields[f];
  normEntry(table, `${name}.0`, width);
  for (let i = 0; i < spec.config.net_tail_num_layers; i++)
    linearEntry(table, `${name}.${1 + 2 * i}`, width, width, true);
  linearEntry(table, `${name}.${1 + 2 * spec.config.net_tail_num_layers}`, D, width, true);
}
