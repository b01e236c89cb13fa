/** What of a configuration the network's shape depends on. */
import { type AttentionType, encoderHeads } from "../config/attention.js";
import { parseFields, predictedFields } from "../config/fields.js";
import type { Field, RunConfig } from "../config/types.js";
import { AtmorepError } from "../errors.js";
import { positionCode } from "./position.js";

export interface FieldShape {
  width: number;
  /** indices of the coupled fields */
  coupled: number[];
  L: number;
  N: number;
  D: number;
  numTokens: [nt: number, ny: number, nx: number];
  /** [L*N, d] fixed harmonic position code */
  positions: Float32Array;
}

export interface StackShape {
  layers: number;
  heads: number;
  mlpLayers: number;
  attention: AttentionType;
}

export interface ModelSpec {
  fields: FieldShape[];
  /** index in `fields` of each predicted field */
  predicted: number[];
  encoder: StackShape;
  decoder: StackShape & {
    /** cross heads per layer; the others are self heads */
    crossHeads: number;
    selfBlock: boolean;
    /** how fast the decoder walks back through the encoder's layers */
    rate: number;
  };
  tail: { members: number; layers: number };
  couplingHeads: number;
  tokenInfo: { size: number; width: number };
  withLayerNorm: boolean;
  withQkNorm: boolean;
  dropoutRate: number;
  /** blocks compute their activations again in the backward pass */
  gradCheckpointing: boolean;
}

/** Keys of a configuration that shape the network. */
export type ModelConfig = Pick<
  RunConfig,
  | "fields"
  | "fields_prediction"
  | "size_token_info"
  | "size_token_info_net"
  | "with_layernorm"
  | "with_qk_lnorm"
  | "coupling_num_heads_per_field"
  | "dropout_rate"
  | "grad_checkpointing"
  | "encoder_num_layers"
  | "encoder_num_heads"
  | "encoder_num_mlp_layers"
  | "encoder_att_type"
  | "decoder_num_layers"
  | "decoder_num_heads"
  | "decoder_num_mlp_layers"
  | "decoder_self_att"
  | "decoder_cross_att_ratio"
  | "decoder_cross_att_rate"
  | "decoder_att_type"
  | "net_tail_num_nets"
  | "net_tail_num_layers"
>;

/**
 * The network's shape.
 *
 * @throws AtmorepError `config` if heads do not divide a width or a coupled field is unknown
 */
export function modelSpec(config: ModelConfig): ModelSpec {
  const fields = parseFields(config);
  const spec: ModelSpec = {
    fields: fields.map((field) => fieldShape(field, fields, config.size_token_info_net)),
    predicted: predictedFields(config).map(({ field }) => field.index),
    encoder: {
      layers: config.encoder_num_layers,
      heads: config.encoder_num_heads,
      mlpLayers: config.encoder_num_mlp_layers,
      attention: config.encoder_att_type,
    },
    decoder: {
      layers: config.decoder_num_layers,
      heads: config.decoder_num_heads,
      mlpLayers: config.decoder_num_mlp_layers,
      attention: config.decoder_att_type,
      crossHeads: Math.trunc(config.decoder_num_heads * config.decoder_cross_att_ratio),
      selfBlock: config.decoder_self_att,
      rate: config.decoder_cross_att_rate,
    },
    tail: { members: config.net_tail_num_nets, layers: config.net_tail_num_layers },
    couplingHeads: config.coupling_num_heads_per_field,
    tokenInfo: { size: config.size_token_info, width: config.size_token_info_net },
    withLayerNorm: config.with_layernorm,
    withQkNorm: config.with_qk_lnorm,
    dropoutRate: config.dropout_rate,
    gradCheckpointing: config.grad_checkpointing,
  };
  for (const [f, { width }] of spec.fields.entries()) {
    requireDivides(encoderHeadCount(spec), width, `fields[${f}]`, "encoder_num_heads");
    if (spec.predicted.includes(f)) requireDivides(spec.decoder.heads, width, `fields[${f}]`, "decoder_num_heads");
  }
  return spec;
}

/** Number of heads the embedding is divided by in the encoder. */
export const encoderHeadCount = ({ encoder, couplingHeads }: ModelSpec): number =>
  encoderHeads(encoder.attention, encoder.heads, couplingHeads);

function fieldShape(field: Field, fields: Field[], infoWidth: number): FieldShape {
  const { width, L, N, D, numTokens } = field;
  if (width <= infoWidth || width % 2 !== 0) {
    throw new AtmorepError("config", "embedding width cannot hold the token info", {
      where: `fields[${field.index}][1][1]`,
      found: width,
      expected: `an even number above size_token_info_net (${infoWidth})`,
    });
  }
  const coupled = field.coupled.map((name, i) => {
    const other = fields.findIndex((candidate) => candidate.name === name);
    if (other >= 0) return other;
    throw new AtmorepError("config", "coupled field is not among the fields", {
      where: `fields[${field.index}][1][2][${i}]`,
      found: name,
      expected: `one of ${fields.map((candidate) => candidate.name).join(", ")}`,
    });
  });
  return { width, coupled, L, N, D, numTokens, positions: positionCode(numTokens, L, width) };
}

function requireDivides(heads: number, width: number, where: string, key: string): void {
  if (width % heads === 0) return;
  throw new AtmorepError("config", "heads do not divide the embedding width", {
    where: `${where}[1][1]`,
    found: width,
    expected: `a multiple of ${heads}`,
    fix: `Change the width or ${key}.`,
  });
}
