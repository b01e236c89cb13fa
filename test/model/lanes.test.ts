/** Groups of samples or tokens side by side give what all at once gives, with the same dropout, gradients too. */
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { forward, initParameters, type ModelConfig, modelSpec, toTensors } from "../../src/model/index.js";
import type { NetworkInputs } from "../../src/model/types.js";
import { configOf, FIELDS, inputsOf, KINDS, prepareModels, samplesOf } from "./support.js";

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
    const kept: Record<string, Float32Array> = {};
    const gradients = tf.grads((...values) => {
      const own = { ...params, ...Object.fromEntries(names.map((name, i) => [name, values[i]])) };
      const predictions = forward(own, spec, inputs, { dropoutSeed: [3, 4], lanes });
      for (const [p, { ens }] of predictions.entries()) kept[`ens.${p}`] = ens.dataSync().slice() as Float32Array;
      return tf.addN(predictions.map(({ ens, std }) => tf.add(tf.mean(tf.square(ens)), tf.mean(std))));
    })(names.map((name) => params[name]));
    for (const [i, name] of names.entries()) kept[name] = gradients[i].dataSync().slice() as Float32Array;
    return kept;
  });
}

function expectSame(actual: Record<string, Float32Array>, expected: Record<string, Float32Array>): void {
  expect(Object.keys(actual)).toEqual(Object.keys(expected));
  for (const [name, values] of Object.entries(expected)) {
    const largest = Math.max(...values.map(Math.abs));
    const apart = Math.max(...values.map((value, i) => Math.abs(value - actual[name][i])));
    expect(apart, name).toBeLessThanOrEqual(1e-7 + 1e-5 * largest);
  }
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
