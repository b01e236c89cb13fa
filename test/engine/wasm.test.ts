import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { openEngine } from "../../src/engine/index.js";
import fc from "../support/property.js";
import { expectDifferences, expectKernel, type Fn, normal } from "./support.js";

beforeAll(() => openEngine("wasm"));

describe("the WASM engine", () => {
  it("says what it is, and `native` what is missing", async () => {
    const engine = await openEngine("auto");
    expect(engine.name).toBe("wasm");
    expect(engine.threads).toBe(1);
    expect(engine.memory().numTensors).toBe(tf.memory().numTensors);
    await expect(openEngine("native")).rejects.toThrow(/native engine/);
  });

  it("adds a million numbers without drift", async () => {
    await openEngine("wasm");
    const values = normal(1, [1000, 1000]);
    const exact = values.data.reduce((sum, x) => sum + Math.fround(x * x), 0) / 1e6;
    const mean = tf.tidy(() => tf.mean(tf.square(tf.tensor(values.data, values.shape))).dataSync()[0]);
    expect(mean).toBe(Math.fround(exact));
  });

  it("products of any shape equal the cpu backend's", async () => {
    const size = fc.integer({ min: 1, max: 19 });
    const flags = fc.tuple(fc.boolean(), fc.boolean());
    await fc.assert(
      fc.asyncProperty(size, size, size, fc.integer({ min: 1, max: 3 }), flags, async (m, n, k, batch, [ta, tb]) => {
        const inputs = [normal(1, [batch, ...(ta ? [k, m] : [m, k])]), normal(2, [batch, ...(tb ? [n, k] : [k, n])])];
        const product: Fn = ([a, b]) => tf.matMul(a, b, ta, tb);
        await expectKernel(product, product, inputs, 1e-5);
      }),
      { numRuns: 25 },
    );
  });

  it("sums over any axes equal the cpu backend's", async () => {
    const axes = fc.subarray([0, 1, 2, 3], { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(axes, fc.boolean(), fc.boolean(), async (axes, keep, mean) => {
        const reduce: Fn = ([x]) => (mean ? tf.mean(x, axes, keep) : tf.sum(x, axes, keep));
        await expectKernel(reduce, reduce, [normal(1, [2, 3, 4, 5])], 1e-5);
      }),
      { numRuns: 20 },
    );
  });
});

describe("gradients of plain operations, against finite differences", () => {
  const positive = (seed: number, shape: number[]) => {
    const plain = normal(seed, shape);
    return { shape, data: plain.data.map((x) => Math.abs(x) + 0.5) };
  };
  const cases: [string, Fn, number[][]][] = [
    ["add, broadcast", ([a, b]) => tf.add(a, b), [[3, 4], [4]]],
    [
      "sub, broadcast",
      ([a, b]) => tf.sub(a, b),
      [
        [3, 1],
        [3, 4],
      ],
    ],
    [
      "mul, broadcast",
      ([a, b]) => tf.mul(a, b),
      [
        [2, 3, 4],
        [3, 1],
      ],
    ],
    [
      "div",
      ([a, b]) => tf.div(a, b),
      [
        [3, 4],
        [3, 4],
      ],
    ],
    [
      "squaredDifference",
      ([a, b]) => tf.squaredDifference(a, b),
      [
        [3, 4],
        [3, 4],
      ],
    ],
    ["square, sqrt, rsqrt", ([a]) => tf.rsqrt(tf.sqrt(tf.square(a))), [[7]]],
    ["exp, log, log1p", ([a]) => tf.log1p(tf.log(tf.add(tf.exp(a), 2))), [[7]]],
    ["erf, tanh, sigmoid", ([a]) => tf.erf(tf.tanh(tf.sigmoid(a))), [[7]]],
    ["reciprocal, neg, abs", ([a]) => tf.abs(tf.neg(tf.reciprocal(a))), [[7]]],
    ["softmax", ([a]) => tf.softmax(a), [[3, 5]]],
    [
      "concat and split",
      ([a, b]) => tf.concat(tf.split(tf.concat([a, b], 1), 2, 1).toReversed(), 0),
      [
        [3, 4],
        [3, 2],
      ],
    ],
    [
      "stack and unstack",
      ([a, b]) => tf.mul(tf.unstack(tf.stack([a, b], 1))[1], a.shape[0]),
      [
        [3, 4],
        [3, 4],
      ],
    ],
    ["slice", ([a]) => tf.slice(a, [1, 0], [2, 3]), [[4, 5]]],
    ["tile", ([a]) => tf.tile(a, [2, 3]), [[3, 2]]],
    ["transpose", ([a]) => tf.transpose(a, [2, 0, 1]), [[2, 3, 4]]],
    ["addN and expandDims", ([a, b]) => tf.expandDims(tf.addN([a, b, a]), 0), [[3], [3]]],
    ["where", ([a, b]) => tf.where(tf.greater(a, 1), a, b), [[5], [5]]],
    ["clip, relu", ([a]) => tf.relu(tf.sub(tf.clipByValue(a, 0.6, 1.5), 0.1)), [[7]]],
  ];
  it.each(cases)("%s", async (_, fn, shapes) => {
    const inputs = shapes.map((shape, i) => positive(11 + i, shape));
    await expectDifferences("cpu", fn, inputs, 1e-3);
    await expectKernel(fn, fn, inputs);
  });
});
