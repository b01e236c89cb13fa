/** Rules on widths, heads and layers. */
import { ATTENTION_INFO, encoderHeads } from "../attention.js";
import type { Fault } from "../faults.js";
import { parseFields } from "../fields.js";
import { eachField, type Rule } from "./rule.js";

const widthHoldsTokenInfo = eachField(["size_token_info_net"], (field, where, config) => {
  const path = `${where}[1][1]`;
  const info = config.size_token_info_net;
  if (field.width <= info) {
    return [
      {
        code: "width-unfit",
        path,
        what: "the width leaves no channel beside the token info",
        found: field.width,
        expected: `more than size_token_info_net = ${info}`,
        fix: "Widen the field",
      },
    ];
  }
  if (field.width % 2 === 0) return [];
  return [
    {
      code: "width-unfit",
      path,
      what: "the position code needs pairs of channels",
      found: field.width,
      expected: "an even width",
      fix: `Set ${path} to ${field.width + 1}`,
    },
  ];
});

const encoderHeadsDivide = eachField(
  ["encoder_num_heads", "encoder_att_type", "coupling_num_heads_per_field"],
  (field, where, config) => {
    const { encoder_att_type: kind, encoder_num_heads: own, coupling_num_heads_per_field: coupling } = config;
    const name = ATTENTION_INFO[kind].couplingHeadsCount
      ? `encoder_num_heads + coupling_num_heads_per_field (${kind})`
      : "encoder_num_heads";
    return divides(`${where}[1][1]`, field.width, encoderHeads(kind, own, coupling), name);
  },
);

const decoderHeadsDivide: Rule = {
  reads: ["fields", "fields_prediction", "decoder_num_heads"],
  check: (config) =>
    parseFields(config)
      .filter((field) => config.fields_prediction.some(([name]) => name === field.name))
      .flatMap((field) =>
        divides(`fields[${field.index}][1][1]`, field.width, config.decoder_num_heads, "decoder_num_heads"),
      ),
};

const crossLayerExists: Rule = {
  reads: ["encoder_num_layers", "decoder_num_layers", "decoder_cross_att_rate"],
  check: (config) => {
    const { encoder_num_layers: layers, decoder_num_layers: decoderLayers, decoder_cross_att_rate: rate } = config;
    // decoder layers beyond the encoder's number have no cross attention
    const last = Math.min(layers, decoderLayers) - 1;
    const attended = layers - 1 - Math.floor(rate * last);
    if (attended >= 0) return [];
    return [
      {
        code: "no-encoder-layer",
        path: "decoder_cross_att_rate",
        what: `decoder layer ${last} would attend to encoder layer ${attended}`,
        found: rate,
        expected: `a rate that ends at encoder layer 0 or above, below ${layers / last}`,
        fix: "Set decoder_cross_att_rate to 1",
      },
    ];
  },
};

const tokensPair = eachField(["encoder_att_type"], (field, where, config) => {
  const kind = config.encoder_att_type;
  if (!ATTENTION_INFO[kind].pairsTokens) return [];
  const fields = parseFields(config);
  return field.coupled.flatMap((name, i): Fault[] => {
    const other = fields.find((candidate) => candidate.name === name);
    if (!other) return [];
    const axes = [
      ["space", field.numTokens[1] * field.numTokens[2], other.numTokens[1] * other.numTokens[2]],
      ["time", field.numTokens[0], other.numTokens[0]],
      ["level", field.L, other.L],
    ] as const;
    return axes
      .filter(([, own, theirs]) => Math.max(own, theirs) % Math.min(own, theirs) !== 0)
      .map(([axis, own, theirs]) => ({
        code: "tokens-unpaired",
        path: `${where}[1][2][${i}]`,
        what: `${kind} attention cannot match ${own} with ${theirs} tokens along ${axis}`,
        found: `${own} and ${theirs}`,
        expected: "a whole ratio",
        fix: `Change the tokens of ${field.name} or ${name}, or use dense attention`,
      }));
  });
});

function divides(path: string, width: number, heads: number, name: string): Fault[] {
  if (width % heads === 0) return [];
  const nearest = Math.max(1, Math.floor(width / heads + 0.5)) * heads;
  return [
    {
      code: "heads-unfit",
      path,
      what: `the width is no multiple of ${name} = ${heads}`,
      found: width,
      expected: `a multiple of ${heads}`,
      fix: `Set ${path} to ${nearest}, or change the number of heads`,
    },
  ];
}

export const NETWORK_RULES: readonly Rule[] = [
  widthHoldsTokenInfo,
  encoderHeadsDivide,
  decoderHeadsDivide,
  crossLayerExists,
  tokensPair,
];
