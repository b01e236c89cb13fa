/** The end of the decoder on chosen rows gives what choosing from all rows gives, gradients too. */
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { FUSED } from "../../src/engine/kernels/fused.js";
import { type ForwardOptions, forward, initParameters, type ModelConfig, modelSpec } from "../../src/model/index.js";
import { toTensors } from "../../src/model/tensors.js";
import type { NetworkInputs } from "../../src/model/types.js";
import {
  configOf,
  expectSame,
  FIELDS,
  inLanes,
  inputsOf,
  KINDS,
  prepareModels,
  samplesOf,
  withGradients,
} from "./support.js";

beforeAll(prepareModels);

/** Out of order, some twice, unevenly spread over the samples; even and odd numbers. */
const ROWS = [
  [17, 3, 3, 0, 31, 16],
  [5, 5, 1],
  [30, 2, 9, 30, 8],
];
/** Samples: a number that two lanes divide. */
const SAMPLES = 2;
/** Computes the decoder for all rows. */
const EVERYTHING: ForwardOptions = { trace: () => {} };

/** Within a `tf.tidy`: a network, its parameters, two samples and chosen rows. */
function setUp(changes: Partial<ModelConfig>, rows: number[][] = ROWS) {
  const config = configOf(FIELDS, { dropout_rate: 0, ...changes });
  const spec = modelSpec(config);
  const order = Array.from({ length: SAMPLES }, (_, i) => i);
  const inputs: NetworkInputs = {
    ...inputsOf(config, spec, samplesOf(4), order),
    rows: rows.map((chosen) => tf.tensor1d(chosen, "int32")),
  };
  return { spec, inputs, params: toTensors(initParameters(spec, 6)) };
}

/** A forward pass alone. */
function network(changes: Partial<ModelConfig>, options: ForwardOptions): tf.Tensor {
  const { spec, inputs, params } = setUp(changes);
  return forward(params, spec, inputs, options)[0].mean;
}

/** Predictions and gradients of a loss in which every prediction counts. */
function run(changes: Partial<ModelConfig>, options: ForwardOptions): Record<string, Float32Array> {
  return tf.tidy(() => {
    const { spec, inputs, params } = setUp(changes);
    const names = Object.keys(params).filter((name) => !name.startsWith("embed_token_info"));
    return withGradients(params, names, (given) => forward(given, spec, inputs, options));
  });
}

const VARIANTS: [string, Partial<ModelConfig>][] = [
  ...KINDS,
  ["dense, ending with self-attention", { decoder_att_type: "dense", decoder_num_layers: 3, decoder_self_att: true }],
  ["dense, cross heads only", { decoder_att_type: "dense", decoder_cross_att_ratio: 1 }],
  ["dense, without layer norm", { decoder_att_type: "dense", decoder_num_layers: 3, with_layernorm: false }],
];

describe.each(VARIANTS)("%s", (_, changes) => {
  it.each([
    ["at once", false, 1],
    ["lanes", false, 2],
    ["activations computed again", true, 1],
    ["activations computed again, lanes", true, 2],
  ])("%s", (_, again, lanes) => {
    const everything = run({ ...changes, grad_checkpointing: false }, EVERYTHING);
    expectSame(
      inLanes(lanes, () => run({ ...changes, grad_checkpointing: again }, {})),
      everything,
    );
  });
});

describe.each(KINDS)("%s", (_, changes) => {
  it.each([1, 2])("added rows leave the others' dropout as it is, %i lanes", (lanes) => {
    const ens = (rows: number[][]) =>
      tf.tidy(() => {
        const { spec, inputs, params } = setUp({ ...changes, dropout_rate: 0.3 }, rows);
        const predictions = inLanes(lanes, () => forward(params, spec, inputs, { dropoutSeed: [3, 4] }));
        return predictions.map(({ ens }) => Array.from(ens.dataSync()));
      });
    const padded = ens(ROWS.map((rows) => [...rows, ...Array.from({ length: 9 - rows.length }, () => 0)]));
    for (const [p, values] of ens(ROWS).entries()) {
      expect(padded[p].slice(0, values.length)).toEqual(values.map((value) => expect.closeTo(value, 5)));
    }
  });

  it("computes the last MLP for chosen rows only", async () => {
    // the field whose hidden layers are as wide as no other's
    const f = 2;
    const { kernels } = await tf.profile(() => tf.tidy(() => network(changes, {})));
    const { kernels: everything } = await tf.profile(() => tf.tidy(() => network(changes, EVERYTHING)));
    const [, [, width], , tokens] = FIELDS[f];
    const hidden = (found: typeof kernels, rows: number) =>
      found.filter(({ name, outputShapes }) => name === FUSED.gelu && `${outputShapes[0]}` === `${[rows, 2 * width]}`);
    const [all, chosen] = [SAMPLES * tokens.reduce((a, b) => a * b), ROWS[f].length];
    // two layers of the encoder, two of the decoder
    expect([hidden(everything, all).length, hidden(everything, chosen).length]).toEqual([4, 0]);
    expect([hidden(kernels, all).length, hidden(kernels, chosen).length]).toEqual([3, 1]);
  });
});
