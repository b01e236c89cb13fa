/** AdamW on the tensors of a state themselves: the bits of single operations, and nobody else's tensors. */
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { disposeBatch } from "../../src/batches/tensors.js";
import { adamwConstants } from "../../src/engine/adamw.js";
import { ownCopy, updateInPlace } from "../../src/engine/compile/index.js";
import { type Engine, openEngine } from "../../src/engine/index.js";
import type { Kernels } from "../../src/engine/jit/operations.js";
import type { Tensorflow } from "../../src/engine/tensorflow/index.js";
import { frozenNames } from "../../src/step/freeze.js";
import { disposeState, trainStep } from "../../src/step/step.js";
import { single, updates } from "../engine/adamwReference.js";
import { smallBatch, smallConfig, smallState, valuesOf } from "../step/support.js";
import { openWithKernels } from "./support.js";

let engine: Tensorflow;
let kernels: Kernels;
let native: Engine;

beforeAll(async () => {
  ({ engine, kernels } = await openWithKernels());
  native = await openEngine("native");
});

const SETTINGS = { learningRate: 1e-3, weightDecay: 0.02, emaDecay: 0.97 };
/** The work is cut in the middle of the third. */
const SHAPES = [[3], [1], [150, 131], [40, 7], []];

it.each([
  ["with a moving average", true],
  ["without one", false],
])("%s: updates have the bits of single operations", async (_, averaged) => {
  const size = engine.context.size;
  const { actual, expected, tensorsLeft } = await updates(native, single, SHAPES, { settings: SETTINGS, averaged });
  expect(actual).toEqual(expected);
  expect([tensorsLeft, engine.context.size - size]).toEqual([0, 0]);
});

describe("a tensor whose elements others have too is copied before it changes", () => {
  /** Changes `tensor` as a parameter. @returns what it is afterwards */
  async function change(tensor: tf.Tensor): Promise<tf.Tensor> {
    const p = ownCopy(engine, tensor);
    const [m, v] = [0, 1].map(() => ownCopy(engine, tf.zeros(p.shape)));
    const [gradient, scale, rates] = [tf.ones(p.shape), tf.scalar(1), tf.tensor1d([0, 0.5, 1])];
    const { beta1, beta2, eps } = adamwConstants(SETTINGS);
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
    state = (
      await trainStep({ engine: native, model }, state, [batch], { learningRate: 1e-3, step, dropoutSeeds: null })
    ).state;
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
