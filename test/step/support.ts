/** A small network of one or two fields, with random batches. */
import type * as tf from "@tensorflow/tfjs-core";
import { plainBatch } from "../../src/batches/plain.js";
import { type StepBatch, toTensors } from "../../src/batches/tensors.js";
import type { RunConfig } from "../../src/config/types.js";
import type { MaskedBatch, MaskedField } from "../../src/masking/types.js";
import { initParameters } from "../../src/model/parameters.js";
import { toTensors as parameterTensors } from "../../src/model/tensors.js";
import { defaultRng } from "../../src/random/index.js";
import { initState, type StepModel, stepModel, type TrainState } from "../../src/step/step.js";

const TOKENS = [2, 2, 2];
const SIZES = [1, 2, 2];

export function smallConfig(changes: Partial<RunConfig> = {}): RunConfig {
  const field = (name: string) => [name, [1, 20, [], 0], [1, 2], TOKENS, SIZES, [0.5, 1, 0, 0]];
  return {
    fields: [field("u"), field("v")],
    fields_prediction: [
      ["u", 0.75],
      ["v", 0.25],
    ],
    size_token_info: 8,
    size_token_info_net: 16,
    with_layernorm: true,
    with_qk_lnorm: false,
    coupling_num_heads_per_field: 1,
    dropout_rate: 0,
    encoder_num_layers: 1,
    encoder_num_heads: 2,
    encoder_num_mlp_layers: 2,
    encoder_att_type: "dense",
    decoder_num_layers: 1,
    decoder_num_heads: 2,
    decoder_num_mlp_layers: 2,
    decoder_self_att: false,
    decoder_cross_att_ratio: 0.5,
    decoder_cross_att_rate: 1,
    decoder_att_type: "dense",
    net_tail_num_nets: 3,
    net_tail_num_layers: 0,
    losses: ["mse_ensemble", "stats"],
    loss_weights: null,
    weight_decay: 0.05,
    grad_clip: null,
    grad_accumulation: 1,
    ema_decay: null,
    ...changes,
  } as unknown as RunConfig;
}

/** Tokens of normal numbers; each sample hides its tokens 0, 3 and 5 of the first level and 1 of the second. */
export function maskedBatch(seed: number, B = 2): MaskedBatch {
  const [L, N, D] = [2, 8, 4];
  const random = defaultRng(seed);
  const fields = ["u", "v"].map((name): MaskedField => {
    const idx = [[0, 3, 5], [1]].map((level) =>
      Int32Array.from(Array.from({ length: B }, (_, b) => level.map((n) => n + N * b)).flat()),
    );
    const normals = (n: number) => Float32Array.from({ length: n }, () => 2 * random.random() - 1);
    const source = normals(B * L * N * D);
    for (const [l, level] of idx.entries()) {
      for (const index of level) {
        const row = (Math.floor(index / N) * L + l) * N + (index % N);
        source.fill(0, row * D, (row + 1) * D);
      }
    }
    const M = idx[0].length + idx[1].length;
    return {
      name,
      L,
      B,
      N,
      D,
      source,
      infos: normals(B * L * N * 8),
      target: normals(M * D),
      valid: null,
      idx,
      count: idx.map((level) => new Int32Array(B).fill(level.length / B)),
      kind: idx.map((level) => new Uint8Array(level.length).fill(3)),
    };
  });
  return { fields };
}

export const smallBatch = (model: StepModel, seed: number, B = 2): StepBatch =>
  toTensors(plainBatch(maskedBatch(seed, B), model.predicted));

export function smallState(config: RunConfig): { model: StepModel; state: TrainState } {
  const model = stepModel(config);
  return { model, state: initState(parameterTensors(initParameters(model.spec, 7)), config) };
}

/** All values of a record of tensors, by name. */
export const valuesOf = (record: Record<string, tf.Tensor>): Record<string, number[]> =>
  Object.fromEntries(Object.entries(record).map(([name, tensor]) => [name, [...tensor.dataSync()]]));

/** Largest difference of two records of values. */
export function distance(a: Record<string, number[]>, b: Record<string, number[]>): number {
  let largest = 0;
  for (const name of Object.keys(a)) {
    for (const [i, value] of a[name].entries()) largest = Math.max(largest, Math.abs(value - b[name][i]));
  }
  return largest;
}
