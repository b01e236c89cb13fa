/** AdamW on the tensors of a state themselves: the bits of single operations, and nobody else's tensors. */
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { disposeBatch } from "../../src/batches/tensors.js";
import { ownCopy, updateInPlace } from "../../src/engine/compile/index.js";
import type { Kernels } from "../../src/engine/jit/operations.js";
import { BACKEND, type Tensorflow } from "../../src/engine/tensorflow/index.js";
import { adamwConstants, adamwRates, adamwUpdate } from "../../src/step/adamw.js";
import { emaUpdate } from "../../src/step/ema.js";
import { frozenNames } from "../../src/step/freeze.js";
import { disposeState, trainStep } from "../../src/step/step.js";
import { normal } from "../engine/support.js";
import { smallBatch, smallConfig, smallState, valuesOf } from "../step/support.js";
import { openWithKernels } from "./support.js";

let engine: Tensorflow;
let kernels: Kernels;

beforeAll(async () => {
  ({ engine, kernels } = await openWithKernels());
});

const OPTIONS = { weightDecay: 0.02 };
/** The work is cut in the middle of the third. */
const SHAPES = [[3], [1], [150, 131], [40, 7], []];
const numbers = (seed: number) => SHAPES.map((shape, i) => normal(100 * seed + i, shape));
type Plain = ReturnType<typeof numbers>;
const record = (list: Plain) => Object.fromEntries(list.map(({ shape, data }, i) => [`w${i}`, tf.tensor(data, shape)]));
const arrays = (given: Record<string, tf.Tensor>) => Object.values(given).map((x) => x.dataSync() as Float32Array);
const squared = (list: Plain) => list.map(({ shape, data }) => ({ shape, data: data.map((x) => x * x) }));

it.each([
  ["with a moving average", 0.97],
  ["without one", null],
])("%s: three updates, bit for bit", async (_, emaDecay) => {
  await tf.setBackend("cpu");
  const start = () => ({
    p: record(numbers(1)),
    m: record(numbers(2)),
    v: record(squared(numbers(3))),
    ema: record(numbers(4)),
  });
  let expected = start();
  for (let t = 1; t <= 3; t++) {
    const { p, m, v, ema } = expected;
    const grads = record(numbers(10 + t));
    const next = adamwUpdate(p, grads, { m, v, updates: t }, adamwRates(1e-3, t, OPTIONS), tf.scalar(0.7), OPTIONS);
    const average = emaDecay === null ? ema : emaUpdate(ema, next.params, emaDecay, grads);
    expected = { p: next.params, m: next.state.m, v: next.state.v, ema: average };
  }
  const wanted = Object.values(expected).map(arrays);
  await tf.setBackend(BACKEND);
  const before = [tf.memory().numTensors, engine.context.size];
  const records = Object.values(start()).map((list) =>
    Object.fromEntries(Object.entries(list).map(([name, x]) => [name, ownCopy(engine, x)])),
  );
  const [p, m, v, ema] = records;
  const { beta1, beta2, eps } = adamwConstants(OPTIONS);
  for (let t = 1; t <= 3; t++) {
    const gradients = record(numbers(10 + t));
    const parameters = Object.keys(p).map((name) => ({
      ...{ p: p[name], m: m[name], v: v[name], gradient: gradients[name] },
      average: emaDecay === null ? null : ema[name],
    }));
    const [scale, rates] = [tf.scalar(0.7), adamwRates(1e-3, t, OPTIONS)];
    await updateInPlace(engine, kernels, { beta1, beta2, eps, emaDecay }, parameters, { scale, rates });
    expect(arrays(gradients)).toEqual(numbers(10 + t).map(({ data }) => data));
    tf.dispose([gradients, scale, rates]);
  }
  expect(records.map(arrays)).toEqual(wanted);
  tf.dispose(records);
  expect([tf.memory().numTensors, engine.context.size]).toEqual(before);
});

describe("a tensor whose elements others have too is copied before it changes", () => {
  /** Changes `tensor` as a parameter. @returns what it is afterwards */
  async function change(tensor: tf.Tensor): Promise<tf.Tensor> {
    const p = ownCopy(engine, tensor);
    const [m, v] = [0, 1].map(() => ownCopy(engine, tf.zeros(p.shape)));
    const [gradient, scale, rates] = [tf.ones(p.shape), tf.scalar(1), tf.tensor1d([0, 0.5, 1])];
    const { beta1, beta2, eps } = adamwConstants(OPTIONS);
    await updateInPlace(
      engine,
      kernels,
      { beta1, beta2, eps, emaDecay: null },
      [{ p, m, v, gradient, average: null }],
      { scale, rates },
    );
    tf.dispose([m, v, gradient, scale, rates]);
    return p;
  }
  const values = () => tf.mul(tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]), 1);

  it("before its first change, and later", async () => {
    let x: tf.Tensor = values();
    for (let round = 0; round < 3; round++) {
      const clone = tf.clone(x);
      const had = clone.dataSync().slice();
      x = await change(x);
      expect(clone.dataSync()).toEqual(had);
      expect(x.dataSync()).not.toEqual(had);
      clone.dispose();
    }
    x.dispose();
  });

  it("nor the other way round", async () => {
    const x = values();
    const had = x.dataSync().slice();
    (await change(tf.clone(x))).dispose();
    expect(x.dataSync()).toEqual(had);
  });

  it("and not copied where nobody has", async () => {
    const x = values();
    expect(await change(x)).toBe(x);
    expect(await change(x)).toBe(x);
  });
});

it("a step leaves frozen parameters, their averages, and the averages' start", async () => {
  const config = smallConfig({ ema_decay: 1, freeze: ["encoders.0.*"] });
  const { model, state: first } = smallState(config);
  const batch = smallBatch(model, 8);
  const start = valuesOf(first.params);
  let state = first;
  for (let step = 1; step <= 2; step++) {
    state = (await trainStep(model, state, [batch], { learningRate: 1e-3, step, dropoutSeeds: null })).state;
  }
  // averages that do not move are what the parameters were
  expect(valuesOf(state.ema!)).toEqual(start);
  const changed = Object.entries(valuesOf(state.params)).filter(([name, values]) =>
    values.some((value, i) => value !== start[name][i]),
  );
  const frozen = frozenNames(config.freeze, Object.keys(start));
  // no prediction depends on embed_token_info
  const moving = Object.keys(start).filter((name) => !frozen.has(name) && !name.startsWith("embed_token_info."));
  expect(changed.map(([name]) => name)).toEqual(moving);
  disposeState(state);
  disposeBatch(batch);
});
