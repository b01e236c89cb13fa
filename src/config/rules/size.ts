/** Whether any computer could hold the network that the keys describe together, and how many tensors it would have. */
import { parseFields } from "../fields.js";
import { formatBytes } from "../limits.js";
import type { Field, RunConfig } from "../types.js";
import type { Rule } from "./rule.js";

/** More than the memory of any computer, and less than any size that other checks could not stand. */
const MOST_BYTES = 2 ** 50;
/** Names and shapes alone would take a gigabyte. */
const MOST_TENSORS = 1_000_000;
/** Bytes of a weight with its gradient and both moments of AdamW. */
const WEIGHT = 16;
/** Arrays of the width of a token that a layer keeps for the backward pass, or its input alone with checkpoints. */
const KEPT = { all: 17, checkpoints: 1 };

/** One part of a network by the key that counts its pieces; lower bounds, for dense attention without coupling. */
interface Part {
  key: string;
  tensors: number;
  weights: number;
}

const mlpWeights = (d: number, layers: number) => 4 * d * d * (layers - 1);

function partsOf(config: RunConfig, field: Field, predicted: boolean): Part[] {
  const { width: d, D, coupled } = field;
  const layers = config.encoder_num_layers;
  const mlps = config.encoder_num_mlp_layers;
  const parts = [
    {
      key: "encoder_num_layers",
      tensors: layers * (2 + (coupled.length > 0 ? 1 + coupled.length : 0) + 2 * mlps),
      weights: layers * (4 * d * d + mlpWeights(d, mlps)),
    },
    { key: `fields[${field.index}][4]`, tensors: 2, weights: d * D },
  ];
  if (!predicted) return parts;
  const decoders = config.decoder_num_layers;
  const decoderMlps = config.decoder_num_mlp_layers;
  const members = config.net_tail_num_nets;
  return [
    ...parts,
    {
      key: "decoder_num_layers",
      tensors: decoders * (2 + 2 * decoderMlps),
      weights: decoders * (4 * d * d + mlpWeights(d, decoderMlps)),
    },
    {
      key: "net_tail_num_nets",
      tensors: members * (4 + 2 * config.net_tail_num_layers),
      weights: members * (d * D + config.net_tail_num_layers * d * d),
    },
  ];
}

const networkFits: Rule = {
  reads: [
    "fields",
    "fields_prediction",
    "encoder_num_layers",
    "encoder_num_mlp_layers",
    "decoder_num_layers",
    "decoder_num_mlp_layers",
    "net_tail_num_nets",
    "net_tail_num_layers",
  ],
  check: (config) => {
    const predicted = new Set(config.fields_prediction.map(([name]) => name));
    const parts = parseFields(config).flatMap((field) => partsOf(config, field, predicted.has(field.name)));
    const sum = (of: "tensors" | "weights") => parts.reduce((total, part) => total + part[of], 0);
    const largest = (of: "tensors" | "weights") => parts.reduce((a, b) => (b[of] > a[of] ? b : a)).key;
    const [bytes, tensors] = [sum("weights") * WEIGHT, sum("tensors")];
    const fix = "Lower it, or the width, the fields or the other layers";
    if (bytes > MOST_BYTES) {
      const what = `weights, gradients and moments would need at least ${formatBytes(bytes)} of memory`;
      return [
        { code: "too-large", path: largest("weights"), what, expected: `at most ${formatBytes(MOST_BYTES)}`, fix },
      ];
    }
    if (tensors <= MOST_TENSORS) return [];
    const what = `the network would have ${tensors.toLocaleString("en-US")} tensors`;
    return [
      {
        code: "too-large",
        path: largest("tensors"),
        what,
        expected: `at most ${MOST_TENSORS.toLocaleString("en-US")}`,
        fix,
      },
    ];
  },
};

/** A training batch is kept for the backward pass, layer by layer; a validation batch is its tokens alone. */
const batchFits: Rule = {
  reads: [
    "fields",
    "fields_prediction",
    "batch_size",
    "batch_size_validation",
    "encoder_num_layers",
    "grad_checkpointing",
  ],
  check: (config) => {
    const kept = config.grad_checkpointing ? KEPT.checkpoints : KEPT.all;
    const floats = (keys: (field: Field) => number) =>
      parseFields(config).reduce((sum, field) => sum + field.L * field.N * keys(field), 0);
    const training = floats(({ D, width }) => D + width * kept * config.encoder_num_layers);
    const validation = floats(({ D, width }) => D + width);
    return [
      ["batch_size", config.batch_size * training * 4] as const,
      ["batch_size_validation", config.batch_size_validation * validation * 4] as const,
    ].flatMap(([path, bytes]) =>
      bytes <= MOST_BYTES
        ? []
        : [
            {
              code: "too-large" as const,
              path,
              what: `a batch would need at least ${formatBytes(bytes)} of memory`,
              found: config[path],
              expected: `at most ${formatBytes(MOST_BYTES)}`,
              fix: "Use a smaller batch, fewer or larger tokens, a smaller width or fewer layers",
            },
          ],
    );
  },
};

export const SIZE_RULES: readonly Rule[] = [networkFits, batchFits];
