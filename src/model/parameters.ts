/** The table of a network's parameters: names, shapes and initial values, in the reference's order. */
import { derive } from "../random/index.js";
import { ATTENTION } from "./attention/table.js";
import { decoderBlocks } from "./decoderBlocks.js";
import { decoderBlockName, embedName, encoderHeadsName, encoderMlpName, infoName, PARTS, tailName } from "./names.js";
import { linearEntry, normEntry, type ParameterEntry } from "./parameterEntries.js";
import type { ModelSpec } from "./spec.js";
import type { PlainParams } from "./types.js";

/** Every parameter, in the reference's order. */
export function parameterTable(spec: ModelSpec): ParameterEntry[] {
  const table: ParameterEntry[] = [];
  const { parameters: encoder } = ATTENTION[spec.config.encoder_att_type];
  const { parameters: decoder } = ATTENTION[spec.config.decoder_att_type];
  const { size_token_info: size, size_token_info_net: infoWidth } = spec.config;
  infoEmbedding(table, PARTS.unusedInfo, size, infoWidth, false);
  const [embedded, ...layers] = usedFields(spec);
  for (const f of spec.fields.keys()) {
    infoEmbedding(table, infoName(f), size, infoWidth, embedded.has(f));
  }
  for (const [f, { width, D }] of spec.fields.entries()) {
    markUnused(table, embedded.has(f), () => linearEntry(table, embedName(f), width - infoWidth, D, true));
  }
  for (const [f, { width }] of spec.fields.entries()) {
    for (const [l, used] of layers.entries()) {
      markUnused(table, used.has(f), () => encoder.encoder(table, spec, f, encoderHeadsName(f, l)));
    }
    for (const [l, used] of layers.entries()) {
      markUnused(table, used.has(f), () =>
        mlpEntries(table, encoderMlpName(f, l), width, spec.config.encoder_num_mlp_layers),
      );
    }
  }
  for (const [p, f] of spec.predicted.entries()) {
    for (const { kind, index } of decoderBlocks(spec)) {
      const name = decoderBlockName(p, index);
      const { width } = spec.fields[f];
      if (kind === "mlp") mlpEntries(table, name, width, spec.config.decoder_num_mlp_layers);
      else if (kind === "self") decoder.decoderSelf(table, spec, width, name);
      else decoder.decoderCross(table, spec, width, name);
    }
  }
  for (const [p, f] of spec.predicted.entries()) {
    for (let e = 0; e < spec.config.net_tail_num_nets; e++) tailEntries(table, spec, f, tailName(p, e));
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

function infoEmbedding(table: ParameterEntry[], name: string, size: number, width: number, trainable: boolean): void {
  table.push({ name: `${name}.weight`, shape: [width, size], init: { kind: "zeros" }, trainable });
  table.push({ name: `${name}.bias`, shape: [width], init: { kind: "zeros" }, trainable });
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
