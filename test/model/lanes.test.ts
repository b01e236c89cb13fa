/** Groups of samples or tokens side by side give what all at once gives, with the same dropout, gradients too. */
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, it } from "vitest";
import { forward, initParameters, type ModelConfig, modelSpec, toTensors } from "../../src/model/index.js";
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

/** Predictions and gradients on the first samples. */
function run(kind: Partial<ModelConfig>, samples: number, lanes: number): Record<string, Float32Array> {
  const config = configOf(FIELDS, { ...kind, dropout_rate: 0.3 });
  const spec = modelSpec(config);
  return tf.tidy(() => {
    const params = toTensors(initParameters(spec, 5));
    const order = Array.from({ length: samples }, (_, i) => i);
    const given = inputsOf(config, spec, samplesOf(8), order);
    const rows = spec.predicted.map((f) => tf.range(0, samples * spec.fields[f].L * spec.fields[f].N, 1, "int32"));
    const inputs: NetworkInputs = { ...given, rows: rows as tf.Tensor1D[] };
    const names = Object.keys(params).filter((name) => !name.includes("token_info"));
    return inLanes(lanes, () =>
      withGradients(params, names, (given) => forward(given, spec, inputs, { dropoutSeed: [3, 4] })),
    );
  });
}

describe.each(KINDS)("%s attention", (_, kind) => {
  it.each([
    ["samples", 2],
    ["tokens of one sample", 1],
    ["tokens of three samples", 3],
  ])("groups of %s", (_, samples) => {
    expectSame(run(kind, samples, 2), run(kind, samples, 1));
  });
});
