import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { plainBatch } from "../../src/batches/plain.js";
import { disposeBatch, type StepBatch, toTensors } from "../../src/batches/tensors.js";
import { type Engine, openEngine } from "../../src/engine/index.js";
import { predictBatch } from "../../src/prediction/predictBatch.js";
import { batchGradients, disposeState, trainStep } from "../../src/step/step.js";
import { distance, maskedBatch, smallBatch, smallConfig, smallState, valuesOf } from "./support.js";

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine("wasm");
});

const rates = (step: number, dropout = false, batches = 1) => ({
  learningRate: 1e-3,
  step,
  dropoutSeeds: dropout ? Array.from({ length: batches }, (_, k) => [11, step * batches + k] as const) : null,
});

describe("trainStep", () => {
  it("lowers the loss of one batch over repeated steps", async () => {
    const { model, state: first } = smallState(smallConfig({ losses: ["mse"], weight_decay: 0 }));
    const batch = smallBatch(model, 1);
    let state = first;
    const totals: number[] = [];
    for (let step = 1; step <= 30; step++) {
      const done = await trainStep({ engine, model }, state, [batch], rates(step));
      state = done.state;
      totals.push(done.result.total);
    }
    expect(totals[29]).toBeLessThan(0.8 * totals[0]);
    expect(state.optimizer.updates).toBe(30);
    disposeState(state);
    disposeBatch(batch);
  });

  it("leaves no tensor behind: plain, accumulated, averaged, clipped, with dropout, evaluating", async () => {
    const config = smallConfig({
      ema_decay: 0.9,
      grad_clip: 1,
      dropout_rate: 0.1,
      losses: ["mse", "crps", "kernel_crps"],
    });
    const { model, state: first } = smallState(config);
    const batches = [smallBatch(model, 1), smallBatch(model, 2)];
    let { state } = await trainStep({ engine, model }, first, batches, rates(1, true, 2));
    const before = tf.memory().numTensors;
    for (let step = 2; step <= 4; step++)
      ({ state } = await trainStep({ engine, model }, state, batches, rates(step, true, 2)));
    await predictBatch({ engine, model }, state.params, batches[0], { members: true });
    expect(tf.memory().numTensors).toBe(before);
    disposeState(state);
    for (const batch of batches) disposeBatch(batch);
  });

  it("releases everything a state and a batch hold", async () => {
    const before = tf.memory().numTensors;
    const { model, state } = smallState(smallConfig({ ema_decay: 0.9 }));
    const batch = smallBatch(model, 1);
    const next = await trainStep({ engine, model }, state, [batch], rates(1));
    disposeState(next.state);
    disposeBatch(batch);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("is a function of its arguments: the same twice, bit for bit, another with another dropout seed", async () => {
    const run = async (seed: number) => {
      const { model, state } = smallState(smallConfig({ dropout_rate: 0.2 }));
      const batch = smallBatch(model, 3);
      const done = await trainStep({ engine, model }, state, [batch], { ...rates(1), dropoutSeeds: [[seed, 1]] });
      const values = valuesOf(done.state.params);
      disposeState(done.state);
      disposeBatch(batch);
      return { values, result: done.result };
    };
    const [a, b, c] = [await run(5), await run(5), await run(6)];
    expect(a).toEqual(b);
    expect(c.result.total).not.toBe(a.result.total);
  });

  it("over two batches equals one of both, whose samples hide equally many tokens", async () => {
    const step = async (batches: (model: Parameters<typeof smallBatch>[0]) => StepBatch[]) => {
      const { model, state } = smallState(smallConfig());
      const list = batches(model);
      const done = await trainStep({ engine, model }, state, list, rates(1));
      const values = valuesOf(done.state.optimizer.m);
      disposeState(done.state);
      for (const batch of list) disposeBatch(batch);
      return { values, result: done.result };
    };
    const twice = await step((model) => [smallBatch(model, 4), smallBatch(model, 4)]);
    const once = await step((model) => [smallBatch(model, 4)]);
    expect(distance(twice.values, once.values)).toBeLessThan(1e-8);
    expect(twice.result.gradientNorm).toBeCloseTo(once.result.gradientNorm, 5);
    expect(twice.result.terms).toEqual(once.result.terms);
    const mixed = await step((model) => [smallBatch(model, 4), smallBatch(model, 5)]);
    const other = await step((model) => [smallBatch(model, 5)]);
    expect(mixed.result.total).toBeCloseTo((once.result.total + other.result.total) / 2, 6);
    for (const [name, values] of Object.entries(mixed.values)) {
      for (const [i, m] of values.entries()) {
        expect(Math.abs(m - (once.values[name][i] + other.values[name][i]) / 2)).toBeLessThan(1e-7);
      }
    }
  });

  it("clips the first moments to the norm that is asked for, and reports the norm before", async () => {
    const { model, state } = smallState(smallConfig({ grad_clip: 0.01 }));
    const batch = smallBatch(model, 6);
    const { state: next, result } = await trainStep({ engine, model }, state, [batch], rates(1));
    expect(result.gradientNorm).toBeGreaterThan(0.1);
    const squares = Object.values(valuesOf(next.optimizer.m))
      .flat()
      .map((m) => (m / 0.1) ** 2);
    expect(Math.sqrt(squares.reduce((a, b) => a + b, 0))).toBeCloseTo(0.01, 6);
    disposeState(next);
    disposeBatch(batch);
  });

  it("averages the parameters", async () => {
    const { model, state } = smallState(smallConfig({ ema_decay: 0.75 }));
    const batch = smallBatch(model, 6);
    const before = valuesOf(state.params);
    const { state: next } = await trainStep({ engine, model }, state, [batch], rates(1));
    const after = valuesOf(next.params);
    const average = valuesOf(next.ema ?? {});
    expect(Object.keys(average)).toEqual(Object.keys(before));
    for (const [name, values] of Object.entries(average)) {
      for (const [i, value] of values.entries()) {
        expect(value).toBeCloseTo(0.75 * before[name][i] + 0.25 * after[name][i], 6);
      }
    }
    disposeState(next);
    disposeBatch(batch);
  });

  it("leaves parameters without gradient as they are", async () => {
    const { model, state } = smallState(smallConfig({ weight_decay: 0.5 }));
    const untouched = state.params["embed_token_info.weight"];
    const ones = tf.ones(untouched.shape);
    untouched.dispose();
    state.params["embed_token_info.weight"] = ones;
    const batch = smallBatch(model, 6);
    const { state: next } = await trainStep({ engine, model }, state, [batch], rates(1));
    expect(next.params["embed_token_info.weight"]).toBe(ones);
    expect([...ones.dataSync()].every((value) => value === 1)).toBe(true);
    disposeState(next);
    disposeBatch(batch);
  });

  it("stops at a bad number, names step, terms, field and tensors, and keeps the state", async () => {
    const { model, state } = smallState(smallConfig());
    const before = valuesOf(state.params);
    const batch = smallBatch(model, 8);
    const bad = tf.tidy(() => {
      const values = batch.targets[1].target.dataSync().slice();
      values[5] = Number.NaN;
      values[6] = Number.POSITIVE_INFINITY;
      return tf.tensor(values, batch.targets[1].target.shape);
    });
    const targets = [batch.targets[0], { ...batch.targets[1], target: bad }];
    const tensors = tf.memory().numTensors;
    const failed = trainStep({ engine, model }, state, [{ ...batch, targets }], rates(17));
    await expect(failed).rejects.toMatchObject({ name: "AtmorepError", code: "failed", exitCode: 1 });
    await expect(failed).rejects.toThrow(
      /step 17: .*mse_ensemble of v is NaN, stats of v is NaN, target v \(2 of 32\)/,
    );
    await expect(failed).rejects.not.toThrow(/of u is NaN/);
    expect(tf.memory().numTensors).toBe(tensors);
    expect(valuesOf(state.params)).toEqual(before);
    const { state: next } = await trainStep({ engine, model }, state, [batch], rates(17));
    disposeState(next);
    bad.dispose();
    disposeBatch(batch);
  });

  it("trains on with a field that hides no token, which then has no terms", async () => {
    const { model, state } = smallState(smallConfig());
    const masked = maskedBatch(8);
    masked.fields[1].idx = [new Int32Array(0), new Int32Array(0)];
    masked.fields[1].target = new Float32Array(0);
    const batch = toTensors(plainBatch(masked, model.predicted));
    const { state: next, result } = await trainStep({ engine, model }, state, [batch], rates(1));
    expect(result.terms.map(({ field }) => field)).toEqual(["u", "u"]);
    expect(result.mse.map((value) => typeof value)).toEqual(["number", "object"]);
    expect(Number.isFinite(result.total)).toBe(true);
    const { mse, predictions } = await predictBatch({ engine, model }, next.params, batch, { members: true });
    expect(mse[1]).toBeNull();
    expect([predictions[1].M, predictions[1].mean.length, predictions[1].ens?.length]).toEqual([0, 0, 0]);
    disposeState(next);
    disposeBatch(batch);
  });

  it("names bad parameters as the cause", async () => {
    const { model, state } = smallState(smallConfig());
    const name = "embeds.0.bias";
    const shape = state.params[name].shape;
    state.params[name].dispose();
    state.params[name] = tf.fill(shape, Number.NaN);
    const batch = smallBatch(model, 8);
    await expect(trainStep({ engine, model }, state, [batch], rates(2))).rejects.toThrow(
      /parameter embeds\.0\.bias \(4 of 4\).*another checkpoint/,
    );
    disposeState(state);
    disposeBatch(batch);
  });
});

describe("batchGradients", () => {
  it("are the slopes of the total", () => {
    const { model, state } = smallState(smallConfig({ losses: ["mse_ensemble", "crps", "kernel_crps"] }));
    const batch = smallBatch(model, 9);
    const { grads, numbers } = batchGradients(model, state.params, batch, null);
    for (const name of ["embeds.0.weight", "encoders.1.mlps.0.blocks.0.bias", "tails.1.tail_nets.2.1.weight"]) {
      const values = state.params[name].dataSync().slice();
      const slopes = Array.from(grads[name].dataSync());
      const largest = slopes.reduce((best, slope, i) => (Math.abs(slope) > Math.abs(slopes[best]) ? i : best), 0);
      const h = 1e-2;
      const totalAt = (value: number) => {
        values[largest] = value;
        const params = { ...state.params, [name]: tf.tensor(values, state.params[name].shape) };
        const other = batchGradients(model, params, batch, null);
        const [total] = other.numbers.values.dataSync();
        tf.dispose([params[name], other.numbers.values, ...Object.values(other.grads)]);
        return total;
      };
      const middle = values[largest];
      const slope = (totalAt(middle + h) - totalAt(middle - h)) / (2 * h);
      expect(Math.abs(slope / slopes[largest] - 1)).toBeLessThan(0.02);
    }
    tf.dispose([numbers.values, ...Object.values(grads)]);
    disposeState(state);
    disposeBatch(batch);
  });
});

describe("predictBatch", () => {
  it("gives the predictions and their error as plain numbers", async () => {
    const { model, state } = smallState(smallConfig({ dropout_rate: 0.5 }));
    const batch = smallBatch(model, 10);
    const { mse, predictions } = await predictBatch({ engine, model }, state.params, batch, { members: true });
    expect(predictions.map(({ field, M, E, D }) => [field, M, E, D])).toEqual([
      ["u", 8, 3, 4],
      ["v", 8, 3, 4],
    ]);
    for (const [p, { mean, ens }] of predictions.entries()) {
      const target = batch.targets[p].target.dataSync();
      const error = mean.reduce((sum, value, i) => sum + (value - target[i]) ** 2, 0) / mean.length;
      expect(mse[p]).toBeCloseTo(error, 5);
      expect(ens).toHaveLength(8 * 3 * 4);
    }
    expect((await predictBatch({ engine, model }, state.params, batch)).predictions[0].ens).toBeNull();
    disposeState(state);
    disposeBatch(batch);
  });
});
