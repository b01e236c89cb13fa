/** Gradients of all operations on TensorFlow's library, one by one and compiled, against TensorFlow.js's own. */
import { createRequire } from "node:module";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { compileFunction } from "../../src/engine/compile/index.js";
import { registerGradients } from "../../src/engine/gradients/index.js";
import { openEngine } from "../../src/engine/index.js";
import { openedTensorflow } from "../../src/engine/native.js";
import { BACKEND, type Tensorflow } from "../../src/engine/tensorflow/index.js";
import { BEYOND, CASES } from "../engine/gradientCases.js";
import { evaluate, type Fn, normal } from "../engine/support.js";

let engine: Tensorflow;
const expected = new Map<string, Float32Array[]>();

beforeAll(async () => {
  createRequire(import.meta.url)("@tensorflow/tfjs");
  for (const [name, { fn, inputs }] of Object.entries(CASES)) expected.set(name, await evaluate("cpu", fn, inputs));
  registerGradients();
  // TensorFlow.js has none of these, or wrong ones; test/engine/gradients.test.ts holds ours to differences
  for (const [name, { fn, inputs }] of Object.entries(BEYOND)) expected.set(name, await evaluate("cpu", fn, inputs));
  await openEngine("native");
  engine = openedTensorflow() as Tensorflow;
});

/** The value of `fn` and the gradients of `sum(fn * weights)`, as `evaluate` has them. */
const step =
  (fn: Fn) =>
  (inputs: tf.Tensor[]): tf.Tensor[] => {
    const value = fn(inputs);
    const weights = tf.tensor(normal(99, value.shape).data, value.shape);
    return [value, ...tf.grads((...xs) => tf.sum(tf.mul(fn(xs), weights)))(inputs)];
  };

function expectClose(actual: ArrayLike<number>[], wanted: Float32Array[]): void {
  for (const [i, array] of wanted.entries()) {
    const scale = array.reduce((most, x) => Math.max(most, Math.abs(x)), 1);
    expect(actual[i].length).toBe(array.length);
    for (const [j, x] of array.entries()) expect(Math.abs(actual[i][j] - x) / scale, `${i}[${j}]`).toBeLessThan(2e-5);
  }
}

describe("gradients", () => {
  it.each(Object.keys({ ...CASES, ...BEYOND }))("of %s, one by one and compiled", async (name) => {
    const { fn, inputs } = { ...CASES, ...BEYOND }[name];
    expectClose(await evaluate(BACKEND, fn, inputs), expected.get(name)!);
    const signature = inputs.map(({ shape }) => ({ shape, dtype: "float32" as const }));
    const { run } = compileFunction(engine, "test", signature, step(fn));
    const found = await run(inputs.map(({ shape, data }) => tf.tensor(data, shape)));
    expectClose(
      found.map((tensor) => tensor.dataSync()),
      expected.get(name)!,
    );
  });
});
