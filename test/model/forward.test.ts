import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { openEngine } from "../../src/engine/index.js";
import {
  type AttendedHeads,
  forward,
  initParameters,
  type ModelConfig,
  modelSpec,
  parameterTable,
  toTensors,
} from "../../src/model/index.js";
import type { NetworkInputs, Params } from "../../src/model/types.js";
import { normal } from "../engine/support.js";
import { readGolden } from "../support/golden.js";

beforeAll(() => openEngine("wasm"));

const VARIANTS: [string, string, Partial<ModelConfig>][] = [
  ["dense", "net_dense", {}],
  ["coupled, several coupling heads", "net_predict_some", { coupling_num_heads_per_field: 2, with_qk_lnorm: true }],
  ["axial", "net_dense", { encoder_att_type: "axial", decoder_att_type: "axial", encoder_num_heads: 3 }],
  ["axial parallel, coupled", "net_predict_some", { encoder_att_type: "axial_parallel", encoder_num_heads: 3 }],
  ["cross heads only", "net_dense", { decoder_cross_att_ratio: 1 }],
  ["self heads only", "net_dense", { decoder_cross_att_ratio: 0 }],
  ["self-attention blocks, deeper decoder", "net_dense", { decoder_self_att: true, decoder_num_layers: 3 }],
  ["axial self-attention blocks", "net_dense", { decoder_self_att: true, decoder_att_type: "axial" }],
  ["without layer norm, deeper tails", "net_dense", { with_layernorm: false, net_tail_num_layers: 2 }],
];

/** Gradients of a loss with dropout, then all tensors are released. */
async function gradientsOf(golden: string, changes: Partial<ModelConfig>): Promise<number[][]> {
  const { spec, params, inputs } = await setUp(golden, changes);
  const names = parameterTable(spec)
    .filter(({ trainable }) => trainable)
    .map(({ name }) => name);
  const before = tf.memory().numTensors;
  const grads = tf.grads((...values) => {
    const given: Params = { ...params, ...Object.fromEntries(names.map((name, i) => [name, values[i]])) };
    const predictions = forward(given, spec, inputs, { dropoutSeed: [1, 2] });
    return tf.addN(predictions.map(({ ens, std }) => tf.add(tf.mean(tf.square(ens)), tf.mean(std))));
  })(names.map((name) => params[name]));
  const values = grads.map((gradient) => Array.from(gradient.dataSync()));
  tf.dispose(grads);
  expect(tf.memory().numTensors).toBe(before);
  tf.dispose([params, inputs] as unknown as tf.TensorContainer);
  return values;
}

async function setUp(golden: string, changes: Partial<ModelConfig>) {
  const config = (await readGolden(golden)).config as unknown as ModelConfig;
  const spec = modelSpec({ ...config, ...changes });
  const params = toTensors(initParameters(spec, 3));
  const inputs: NetworkInputs = {
    fields: spec.fields.map(({ L, N, D }, f) => ({
      tokens: tf.tensor(normal(f, [2, L, N, D]).data, [2, L, N, D]),
      infos: tf.tensor(normal(f + 50, [2, L, N, 8]).data, [2, L, N, 8]),
    })),
    rows: spec.predicted.map(() => tf.tensor1d([3, 1, 20, 30], "int32")),
  };
  return { spec, params, inputs };
}

describe("forward pass", () => {
  it.each(VARIANTS)("%s: gradients along a direction equal differences, nothing leaks", async (_, golden, changes) => {
    const { spec, params, inputs } = await setUp(golden, changes);
    const names = parameterTable(spec)
      .filter(({ trainable }) => trainable)
      .map(({ name }) => name);
    const before = tf.memory().numTensors;
    const loss = (values: tf.Tensor[]): tf.Scalar =>
      tf.tidy(() => {
        const given: Params = { ...params, ...Object.fromEntries(names.map((name, i) => [name, values[i]])) };
        const predictions = forward(given, spec, inputs, { dropoutSeed: [1, 2] });
        return tf.addN(predictions.map(({ ens, std }) => tf.add(tf.mean(tf.square(ens)), tf.mean(std)))) as tf.Scalar;
      });
    const values = names.map((name) => params[name]);
    const grads = tf.grads((...xs) => loss(xs))(values);
    expect(grads.length).toBe(names.length);
    // along the gradient itself: the difference is its squared length
    const squared = grads.reduce((sum, g) => sum + tf.tidy(() => tf.sum(tf.square(g)).dataSync()[0]), 0);
    expect(squared).toBeGreaterThan(0);
    const step = 0.01 / Math.sqrt(squared);
    const at = (sign: number) =>
      tf.tidy(() => loss(values.map((value, i) => tf.add(value, tf.mul(grads[i], sign * step)))).dataSync()[0]);
    const difference = (at(1) - at(-1)) / (2 * step);
    expect(Math.abs(difference / squared - 1)).toBeLessThan(0.02);
    tf.dispose(grads);
    expect(tf.memory().numTensors).toBe(before);
    const predictions = forward(params, spec, inputs);
    expect(tf.memory().numTensors).toBe(before + 3 * predictions.length);
    tf.dispose([predictions, params, inputs] as unknown as tf.TensorContainer);
  });

  it.each(VARIANTS)("%s: activations computed again give the same gradients", async (_, golden, changes) => {
    const kept = await gradientsOf(golden, { ...changes, grad_checkpointing: false });
    const again = await gradientsOf(golden, { ...changes, grad_checkpointing: true });
    const largest = Math.max(...kept.flat().map(Math.abs));
    for (const [i, gradient] of kept.entries()) {
      // some gradients are 0 but for rounding
      const size = Math.max(0.01 * largest, ...gradient.map(Math.abs));
      const difference = Math.max(...gradient.map((value, k) => Math.abs(value - again[i][k])));
      expect(difference).toBeLessThanOrEqual(1e-5 * size);
    }
  });

  it.each(VARIANTS)("%s: attention weights can be looked at and change nothing", async (_, golden, changes) => {
    const { spec, params, inputs } = await setUp(golden, changes);
    const mean = (attended?: (heads: AttendedHeads) => void) =>
      tf.tidy(() => Array.from(forward(params, spec, inputs, { attended })[0].mean.dataSync()));
    const before = tf.memory().numTensors;
    const seen: { block: string; axis: string; heads: number; rows: number; sums: number[]; least: number }[] = [];
    const predicted = mean(({ block, axis, weights }) => {
      const [, heads, queries] = weights.shape;
      const sums = tf.tidy(() => Array.from(tf.sum(weights, -1).dataSync()));
      const least = tf.tidy(() => tf.min(weights).dataSync()[0]);
      seen.push({ block, axis, heads, rows: queries, sums, least });
    });
    expect(predicted).toEqual(mean());
    expect(tf.memory().numTensors).toBe(before);
    for (const { sums, least } of seen) {
      expect(least).toBeGreaterThanOrEqual(0);
      for (const sum of sums) expect(sum).toBeCloseTo(1, 5);
    }
    const heads = (prefix: string, axis: string) =>
      seen.filter((own) => own.block === prefix && own.axis === axis).reduce((sum, own) => sum + own.heads, 0);
    const axis = (kind: string) => (kind === "dense" ? "all" : "time");
    const coupled = spec.fields[0].coupled.length * spec.config.coupling_num_heads_per_field;
    expect(heads("encoders.0.heads.0", axis(spec.config.encoder_att_type))).toBe(
      spec.config.encoder_num_heads + coupled,
    );
    const block = spec.config.decoder_self_att ? 1 : 0;
    expect(heads(`decoders.0.blocks.${block}`, axis(spec.config.decoder_att_type))).toBe(spec.config.decoder_num_heads);
    tf.dispose([params, inputs] as unknown as tf.TensorContainer);
  });

  it("dropout follows its seed, and evaluation has none", async () => {
    const { spec, params, inputs } = await setUp("net_dense", { dropout_rate: 0.3 });
    const run = (dropoutSeed: [number, number] | null) =>
      tf.tidy(() => forward(params, spec, inputs, { dropoutSeed })[0].mean.dataSync().slice());
    expect(run([1, 2])).toEqual(run([1, 2]));
    expect(run([1, 2])).not.toEqual(run([1, 3]));
    expect(run([1, 2])).not.toEqual(run([2, 2]));
    expect(run(null)).toEqual(run(null));
    expect(run(null)).not.toEqual(run([1, 2]));
  });
});
