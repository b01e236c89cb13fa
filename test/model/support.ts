/** A small coupled network, its parameters and inputs, for what must hold of every attention. */
import * as tf from "@tensorflow/tfjs-core";
import { expect } from "vitest";
import type { FieldEntry } from "../../src/config/types.js";
import { openEngine } from "../../src/engine/index.js";
import { withSchedule } from "../../src/engine/kernels/index.js";
import type { ModelConfig, ModelSpec } from "../../src/model/index.js";
import type { NetworkInputs, Params, Prediction } from "../../src/model/types.js";
import { normal } from "../engine/support.js";
import { readGolden } from "../support/golden.js";

let golden: ModelConfig;

/** Before all tests: the engine, and the configuration that the others vary. */
export async function prepareModels(): Promise<void> {
  await openEngine("wasm");
  golden = (await readGolden("net_predict_some")).config as unknown as ModelConfig;
}

/** Runs `work` on an engine that asks for so many groups side by side. */
export const inLanes = <T>(lanes: number, work: () => T): T =>
  withSchedule({ lanes, startAfter: () => {}, again: (work) => work() }, work);

const RATES = [0.5, 0.9, 0.2, 0.05] as [number, number, number, number];
/** Three coupled fields: own widths, levels and token sizes, one of them on the surface and finer. */
export const FIELDS: FieldEntry[] = [
  ["u", [1, 24, ["v", "p"], 0], [1, 2], [2, 2, 2], [1, 2, 2], RATES],
  ["v", [1, 36, ["u"], 0], [1], [2, 2, 2], [1, 2, 2], RATES],
  ["p", [1, 48, ["v", "u"], 0], [0], [2, 2, 4], [1, 2, 1], RATES],
];
export const B = 3;

export const configOf = (fields: readonly FieldEntry[], changes: Partial<ModelConfig>): ModelConfig => ({
  ...golden,
  fields: [...fields],
  fields_prediction: fields.map(([name]) => [name, 1]),
  encoder_num_layers: 2,
  encoder_num_heads: 2,
  decoder_num_layers: 2,
  decoder_num_heads: 2,
  net_tail_num_nets: 2,
  ...changes,
});

export type Samples = Record<string, { tokens: Float32Array; infos: Float32Array }>;

export function samplesOf(seed: number): Samples {
  return Object.fromEntries(
    FIELDS.map(([name, , levels, tokens, size], f) => {
      const [L, N, D] = [levels.length, tokens.reduce((a, b) => a * b), size.reduce((a, b) => a * b)];
      const numbers = (k: number, width: number) => Float32Array.from(normal(k, [B, L, N, width]).data);
      return [name, { tokens: numbers(seed + f, D), infos: numbers(seed + f + 100, 8) }];
    }),
  );
}

/** The samples as the network takes them, every token of the predicted fields hidden; within a `tf.tidy`. */
export function inputsOf(
  config: ModelConfig,
  spec: ModelSpec,
  samples: Samples,
  order: readonly number[] = [0, 1, 2],
): NetworkInputs {
  return {
    fields: spec.fields.map(({ L, N, D }, f) => {
      const { tokens, infos } = samples[config.fields[f][0]];
      const pick = (values: Float32Array, width: number) =>
        tf.gather(tf.tensor(values, [B, L, N, width]), tf.tensor1d([...order], "int32"));
      return { tokens: pick(tokens, D), infos: pick(infos, 8) };
    }),
    rows: spec.predicted.map((f) => tf.range(0, B * spec.fields[f].L * spec.fields[f].N, 1, "int32") as tf.Tensor1D),
  };
}

export const KINDS: [string, Partial<ModelConfig>][] = [
  ["dense", { encoder_att_type: "dense", decoder_att_type: "dense", coupling_num_heads_per_field: 2 }],
  ["axial", { encoder_att_type: "axial", decoder_att_type: "axial" }],
  ["axial_parallel", { encoder_att_type: "axial_parallel", decoder_att_type: "axial_parallel" }],
];

/** Within a `tf.tidy`: predictions, and the gradients by name of a loss in which every prediction counts. */
export function withGradients(
  params: Params,
  names: readonly string[],
  predict: (params: Params) => Prediction[],
): Record<string, Float32Array> {
  const found: Record<string, Float32Array> = {};
  const values = (tensor: tf.Tensor) => tensor.dataSync().slice() as Float32Array;
  const gradients = tf.grads((...given) => {
    const predictions = predict({ ...params, ...Object.fromEntries(names.map((name, i) => [name, given[i]])) });
    for (const [p, { ens }] of predictions.entries()) found[`ens.${p}`] = values(ens);
    return tf.addN(predictions.map(({ ens, std }) => tf.add(tf.mean(tf.square(ens)), tf.mean(std))));
  })(names.map((name) => params[name]));
  for (const [i, name] of names.entries()) found[name] = values(gradients[i]);
  return found;
}

/** Equal up to rounding: 1e-5 of the largest number of an array. */
export function expectSame(actual: Record<string, Float32Array>, expected: Record<string, Float32Array>): void {
  expect(Object.keys(actual)).toEqual(Object.keys(expected));
  for (const [name, values] of Object.entries(expected)) {
    const largest = Math.max(...values.map(Math.abs));
    const apart = Math.max(...values.map((value, i) => Math.abs(value - actual[name][i])));
    expect(apart, name).toBeLessThanOrEqual(1e-7 + 1e-5 * largest);
  }
}
