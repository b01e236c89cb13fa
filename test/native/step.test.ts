import { readdirSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { plainBatch } from "../../src/batches/plain.js";
import { disposeBatch, toTensors } from "../../src/batches/tensors.js";
import type { RunConfig } from "../../src/config/types.js";
import { type Engine, openEngine } from "../../src/engine/index.js";
import { openedTensorflow } from "../../src/engine/native.js";
import { predictBatch } from "../../src/prediction/predictBatch.js";
import { padBatch } from "../../src/step/pad.js";
import { disposeState, type StepResult, stepGradients, trainStep } from "../../src/step/step.js";
import { KINDS } from "../../src/verify/kinds.js";
import { distance, maskedBatch, smallBatch, smallConfig, smallState, valuesOf } from "../step/support.js";
import { GOLDEN_DIR, readGolden } from "../support/golden.js";

let engine: Engine;
const compiling = async (on: boolean) => {
  process.env.ATMOREP_COMPILE = on ? "1" : "0";
  engine = await openEngine("native");
};

beforeAll(() => compiling(true));
afterEach(() => compiling(true));

/** Fields of another width, coupled or not. */
const fieldsOf = (width: number, coupled: boolean) =>
  ({
    fields: smallConfig().fields.map(([name, [kind, , , rest], ...others]) => {
      const partners = name === "u" ? ["v"] : ["u"];
      return [name, [kind, width, coupled ? partners : [], rest], ...others];
    }),
  }) as unknown as Partial<RunConfig>;
const COUPLED = fieldsOf(20, true);
const AXIAL = { encoder_att_type: "axial", encoder_num_heads: 3, decoder_num_heads: 3, ...fieldsOf(24, false) };

const CONFIG = {
  ema_decay: 0.9,
  grad_clip: 1,
  dropout_rate: 0.2,
  losses: ["mse_ensemble", "stats", "kernel_crps"],
} as Partial<RunConfig>;

async function run(config: RunConfig, steps: number, batchesPerStep = 1) {
  const { model, state: first } = smallState(config);
  const batches = Array.from({ length: batchesPerStep }, (_, k) => smallBatch(model, k + 1));
  let state = first;
  const results: StepResult[] = [];
  for (let step = 1; step <= steps; step++) {
    const dropoutSeeds = batches.map((_, k) => [11, step * batchesPerStep + k] as const);
    const done = await trainStep({ engine, model }, state, batches, { learningRate: 1e-3, step, dropoutSeeds });
    state = done.state;
    results.push(done.result);
  }
  const values = { params: valuesOf(state.params), ema: valuesOf(state.ema ?? {}), v: valuesOf(state.optimizer.v) };
  disposeState(state);
  for (const batch of batches) disposeBatch(batch);
  return { results, values };
}

function meanDifference(a: Record<string, number[]>, b: Record<string, number[]>): number {
  const differences = Object.keys(a).flatMap((name) => a[name].map((value, i) => Math.abs(value - b[name][i])));
  return differences.reduce((sum, difference) => sum + difference, 0) / differences.length;
}

describe("the compiled step", () => {
  it("computes activations again if asked to, with the same result", async () => {
    const kept = await run(smallConfig(CONFIG), 4);
    const again = await run(smallConfig({ ...CONFIG, grad_checkpointing: true }), 4);
    expect(again.results.map(({ total }) => total)).toEqual(
      kept.results.map(({ total }) => expect.closeTo(total, 5) as number),
    );
    expect(meanDifference(again.values.params, kept.values.params)).toBeLessThan(1e-5);
  });

  it.each([
    ["one batch", 1, {}],
    ["two accumulated batches", 2, {}],
    ["coupled fields", 1, COUPLED],
    ["coupled fields, accumulated", 2, COUPLED],
    ["axial attention", 1, AXIAL],
    ["axial attention, coupled", 1, { ...AXIAL, ...fieldsOf(24, true) }],
    ["frozen parameters", 1, { freeze: ["encoders.0.*", "embeds.1.*"] }],
  ])("equals the eager one: %s", async (_, batches, changes) => {
    const config = smallConfig({ ...CONFIG, ...(changes as Partial<RunConfig>) });
    await compiling(false);
    const eager = await run(config, 8, batches);
    await compiling(true);
    const compiled = await run(config, 8, batches);
    for (const [i, { total, gradientNorm, terms }] of compiled.results.entries()) {
      expect(Math.abs(total / eager.results[i].total - 1)).toBeLessThan(1e-5);
      expect(Math.abs(gradientNorm / eager.results[i].gradientNorm - 1)).toBeLessThan(1e-4);
      expect(terms.map(({ loss, field }) => [loss, field])).toEqual(
        eager.results[i].terms.map(({ loss, field }) => [loss, field]),
      );
    }
    // not the largest difference: where a gradient is rounding noise, AdamW's step has an arbitrary sign
    expect(meanDifference(compiled.values.params, eager.values.params)).toBeLessThan(1e-6);
    expect(meanDifference(compiled.values.ema, eager.values.ema)).toBeLessThan(1e-6);
    expect(distance(compiled.values.v, eager.values.v)).toBeLessThan(1e-6);
  });

  it("leaves no tensor behind over 300 steps and gives everything back at the end", async () => {
    const context = openedTensorflow()?.context;
    await run(smallConfig(CONFIG), 2);
    const before = [tf.memory().numTensors, context?.size];
    await run(smallConfig(CONFIG), 300);
    expect([tf.memory().numTensors, context?.size]).toEqual(before);
  });

  it("stops at a bad number and keeps the state, also after good steps", async () => {
    const { model, state: first } = smallState(smallConfig());
    const batch = smallBatch(model, 8);
    const rates = { learningRate: 1e-3, dropoutSeeds: null };
    const { state } = await trainStep({ engine, model }, first, [batch], { ...rates, step: 1 });
    const before = valuesOf(state.params);
    const bad = tf.mul(batch.targets[0].target, Number.NaN);
    const broken = { ...batch, targets: [{ ...batch.targets[0], target: bad }, batch.targets[1]] };
    await expect(trainStep({ engine, model }, state, [broken], { ...rates, step: 2 })).rejects.toThrow(
      /step 2: .*u is NaN/,
    );
    expect(valuesOf(state.params)).toEqual(before);
    const next = await trainStep({ engine, model }, state, [batch], { ...rates, step: 2 });
    expect(next.state.optimizer.updates).toBe(2);
    disposeState(next.state);
    disposeBatch(batch);
    bad.dispose();
  });

  it("trains on with a field that hides no token", async () => {
    const { model, state } = smallState(smallConfig());
    const masked = maskedBatch(8);
    masked.fields[1].idx = [new Int32Array(0), new Int32Array(0)];
    masked.fields[1].target = new Float32Array(0);
    const batch = toTensors(plainBatch(masked, model.predicted));
    const done = await trainStep({ engine, model }, state, [batch], {
      learningRate: 1e-3,
      dropoutSeeds: null,
      step: 1,
    });
    expect(done.result.terms.map(({ field }) => field)).toEqual(["u", "u"]);
    disposeState(done.state);
    disposeBatch(batch);
  });
});

describe("padding", () => {
  it("changes neither numbers nor gradients", async () => {
    const { model, state } = smallState(
      smallConfig({ losses: ["mse_ensemble", "stats", "crps", "weighted_mse"] as never }),
    );
    const masked = plainBatch(maskedBatch(3), model.predicted);
    for (const target of masked.targets) target.area = target.target.map(() => 0.7);
    const batch = toTensors(masked);
    const { batch: padded, release } = padBatch(batch, [40, 40], 12);
    expect(padded.targets[0].target.shape[0]).toBe(10);
    expect(padded.targets[0].target.shape[0]).toBeGreaterThan(batch.targets[0].target.shape[0]);
    await compiling(false);
    const [plain, other] = [
      await stepGradients({ engine, model }, state.params, batch, null),
      await stepGradients({ engine, model }, state.params, padded, null),
    ];
    const numbers = ({ norm, numbers: { values } }: typeof plain) => ({
      n: [...norm.dataSync(), ...values.dataSync()],
    });
    expect(distance(numbers(plain), numbers(other))).toBeLessThan(1e-6);
    expect(distance(valuesOf(plain.grads), valuesOf(other.grads))).toBeLessThan(1e-6);
    release();
    disposeState(state);
    disposeBatch(batch);
  });
});

describe("compiled predictions", () => {
  it("are the eager ones, for every number of hidden tokens, from few graphs", async () => {
    const { model, state } = smallState(smallConfig(COUPLED));
    const context = openedTensorflow()!.context;
    const counts = new Set<string>();
    for (const hidden of [1, 2, 3, 7, 8]) {
      const masked = maskedBatch(hidden);
      for (const field of masked.fields) {
        field.idx = [Int32Array.from({ length: hidden }, (_, i) => i), new Int32Array(0)];
        field.target = field.target.slice(0, hidden * field.D);
        if (field.target.length < hidden * field.D) field.target = new Float32Array(hidden * field.D).fill(0.5);
      }
      const batch = toTensors(plainBatch(masked, model.predicted));
      const results = [];
      for (const on of [false, true]) {
        await compiling(on);
        results.push(await predictBatch({ engine, model }, state.params, batch, { members: true }));
      }
      const [eager, compiled] = results;
      expect(distance({ mse: compiled.mse as number[] }, { mse: eager.mse as number[] })).toBeLessThan(1e-6);
      for (const [p, { mean, std, ens, ...rest }] of compiled.predictions.entries()) {
        const own = eager.predictions[p];
        expect(rest).toEqual({ field: own.field, M: hidden, E: own.E, D: own.D });
        const arrays = ({ mean, std, ens }: typeof own) => ({ mean: [...mean], std: [...std], ens: [...ens!] });
        expect(distance(arrays({ ...own, mean, std, ens }), arrays(own))).toBeLessThan(1e-6);
      }
      disposeBatch(batch);
      counts.add(`${tf.memory().numTensors} ${context.size}`);
    }
    expect([...counts]).toHaveLength(1);
    disposeState(state);
  });
});

describe("golden cases", () => {
  const names = readdirSync(GOLDEN_DIR).filter((name) => /^(net|train|loss)(_|$)/.test(name));
  it.each(
    names.flatMap((name) => [
      [name, "compiled"],
      [name, "eager"],
    ]),
  )("%s, %s", async (name, mode) => {
    await compiling(mode === "compiled");
    const golden = await readGolden(name);
    const comparisons = await (await KINDS[name.split("_")[0]].load())(golden, { engine: "native" });
    expect(comparisons.length).toBeGreaterThan(0);
    expect(comparisons.filter(({ ok }) => !ok)).toEqual([]);
  });
});
