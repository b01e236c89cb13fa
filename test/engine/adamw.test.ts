/** AdamW on engines that are always there: the bits of its description, which is its definition in float64. */
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { eager } from "../../src/engine/eager/index.js";
import { type Engine, openEngine } from "../../src/engine/index.js";
import {
  gradientLists,
  type Order,
  reference,
  single,
  startLists,
  tensorflow,
  updates,
  wide,
} from "./adamwReference.js";

const SHAPES = [[7], [1], [15, 20], []];
const SETTINGS = { learningRate: 0.01, weightDecay: 0.1, emaDecay: 0.97 };

let wasm: Engine;
beforeAll(async () => {
  wasm = await openEngine("wasm");
});
afterEach(async () => {
  await tf.setBackend("wasm");
});

describe.each([
  ["with a moving average", true],
  ["without one", false],
])("updates %s", (_, averaged) => {
  it("on WASM: float64, rounded where a number is stored", async () => {
    const { actual, expected, tensorsLeft } = await updates(wasm, wide, SHAPES, { settings: SETTINGS, averaged });
    expect(actual).toEqual(expected);
    expect(tensorsLeft).toBe(0);
  });

  it("by single operations: each rounded to float32", async () => {
    await tf.setBackend("cpu");
    const { actual, expected, tensorsLeft } = await updates(eager, single, SHAPES, { settings: SETTINGS, averaged });
    expect(actual).toEqual(expected);
    expect(tensorsLeft).toBe(0);
  });
});

/** Four updates from the definition, all in float64. */
function defined(scale: number): number[][] {
  const { p, m, v } = startLists(SHAPES, false);
  return p.map((list, k) =>
    Array.from(list, (_, i) => {
      let [x, first, second] = [list[i], m[k][i], v[k][i]];
      for (let t = 1; t <= 4; t++) {
        const gradients = gradientLists(SHAPES, t)[k];
        if (!gradients) continue;
        const g = scale * gradients[i];
        x -= 0.01 * 0.1 * x;
        first = 0.9 * first + 0.1 * g;
        second = 0.999 * second + 0.001 * g * g;
        x -= (0.01 * (first / (1 - 0.9 ** t))) / (Math.sqrt(second / (1 - 0.999 ** t)) + 1e-8);
      }
      return x;
    }),
  );
}

it.each<[string, Order]>([
  ["float64, rounded once", wide],
  ["float32", single],
  ["TensorFlow's", tensorflow],
])("every order of operations is the definition: %s", (_, order) => {
  for (const scale of [1, 0.25]) {
    let lists = startLists(SHAPES, false);
    for (let t = 1; t <= 4; t++) lists = reference(order, lists, gradientLists(SHAPES, t), t, scale, SETTINGS);
    for (const [k, list] of defined(scale).entries()) {
      for (const [i, value] of list.entries()) expect(Math.abs(lists.p[k][i] - value)).toBeLessThan(2e-6);
    }
  }
});
