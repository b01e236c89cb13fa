/** What of a configuration the network's shape depends on. */
import { encoderHeads } from "../config/attention.js";
import { parseFields, predictedFields } from "../config/fields.js";
import type { KeyOf } from "../config/schema.js";
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
  /** [L*N, d] fixed harmonic position code, computed when first asked for: a plan of a large network needs none */
  readonly positions: Float32Array;
}

/** Keys of a configuration that shape the network, beside its fields. */
export type NetworkKey = KeyOf<"network" | "token info" | "encoder" | "decoder" | "tail">;

/** What of a configuration shapes the network. */
export type ModelConfig = Pick<RunConfig, "fields" | "fields_prediction" | NetworkKey>;

export interface ModelSpec {
  fields: FieldShape[];
  /** index in `fields` of each predicted field */
  predicted: number[];
  /** the configuration's own values: what a key means, the schema says */
  config: Readonly<Pick<RunConfig, NetworkKey>>;
  /** cross heads of a decoder layer; the others are self heads */
  crossHeads: number;
}

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
    config: { ...config },
    crossHeads: Math.trunc(config.decoder_num_heads * config.decoder_cross_att_ratio),
  };
  for (const [f, { width }] of spec.fields.entries()) {
    requireDivides(encoderHeadCount(spec), width, `fields[${f}]`, "encoder_num_heads");
    if (spec.predicted.includes(f))
      requireDivides(config.decoder_num_heads, width, `fields[${f}]`, "decoder_num_heads");
  }
  return spec;
}

/** Number of heads the embedding is divided by in the encoder. */
export const encoderHeadCount = ({ config }: ModelSpec): number =>
  encoderHeads(config.encoder_att_type, config.encoder_num_heads, config.coupling_num_heads_per_field);

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
  let positions: Float32Array | undefined;
  return {
    width,
    coupled,
    L,
    N,
    D,
    numTokens,
    get positions() {
      positions ??= positionCode(numTokens, L, width);
      return positions;
    },
  };
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
