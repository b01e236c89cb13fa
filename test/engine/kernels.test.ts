import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { openEngine } from "../../src/engine/index.js";
import {
  attention,
  attentionWeights,
  dropout,
  ensembleMean,
  ensembleStd,
  gatherRows,
  gelu,
  layerNorm,
  linear,
  only,
} from "../../src/engine/kernels/index.js";
import fc from "../support/property.js";
import { evaluate, expectDifferences, expectKernel, type Fn, normal } from "./support.js";

beforeAll(() => openEngine("wasm"));

describe("kernels against plain formulas and finite differences", () => {
  it.each([
    [5, 3, 7],
    [8, 16, 8],
    [13, 9, 17],
  ])("linear [%i, %i] -> %i", async (r, i, o) => {
    const inputs = [normal(1, [r, i]), normal(2, [o, i]), normal(3, [o])];
    const plain: Fn = ([x, w, b]) => tf.add(tf.matMul(x as tf.Tensor2D, tf.transpose(w) as tf.Tensor2D), b);
    await expectKernel(([x, w, b]) => linear(x, w, b), plain, inputs);
    await expectDifferences("wasm", ([x, w, b]) => linear(x, w, b), inputs);
    await expectKernel(
      ([x, w]) => linear(x, w),
      ([x, w]) => plain([x, w, tf.zeros([o])]),
      inputs.slice(0, 2),
    );
  });

  const plainNorm = (x: tf.Tensor) => {
    const { mean, variance } = tf.moments(x, -1, true);
    return tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-5)));
  };

  it("layer norm", async () => {
    const x = normal(1, [3, 5, 6]);
    await expectKernel(
      ([x]) => layerNorm(x),
      ([x]) => plainNorm(x),
      [x],
    );
    await expectDifferences("wasm", ([x]) => layerNorm(x), [x]);
    const inputs = [x, normal(2, [6]), normal(3, [6])];
    await expectKernel(
      ([x, g, b]) => layerNorm(x, g, b),
      ([x, g, b]) => tf.add(tf.mul(plainNorm(x), g), b),
      inputs,
    );
    await expectDifferences("wasm", ([x, g, b]) => layerNorm(x, g, b), inputs);
  });

  it.each([1, 4, 31])("gelu of %i numbers", async (n) => {
    const x = normal(4, [n]);
    x.data = x.data.map((value) => 3 * value);
    const plain: Fn = ([x]) => tf.mul(tf.mul(x, 0.5), tf.add(1, tf.erf(tf.div(x, Math.SQRT2))));
    await expectKernel(([x]) => gelu(x), plain, [x]);
    await expectDifferences("wasm", ([x]) => gelu(x), [x]);
  });

  it("gelu far from 0", async () => {
    const x = { shape: [6], data: Float32Array.of(-100, -20, -6, 6, 20, 1e30) };
    const [y, dy] = await evaluate("wasm", ([x]) => gelu(x), [x]);
    expect([...y].slice(3)).toEqual([...x.data].slice(3));
    for (const value of [...y.slice(0, 3), ...dy]) expect(Number.isFinite(value)).toBe(true);
    expect(Math.abs(y[0]) + Math.abs(y[1]) + Math.abs(y[2])).toBeLessThan(1e-7);
  });

  it.each([
    [1, 1, 3, 3, 2],
    [2, 3, 5, 7, 4],
    [2, 2, 8, 12, 8],
    [3, 1, 9, 4, 3],
  ])("attention of %i sequences, %i heads, %i queries, %i keys, width %i", async (batch, heads, t, s, w) => {
    const inputs = [
      normal(1, [batch * t, heads * w]),
      normal(2, [batch * s, heads * w]),
      normal(3, [batch * s, heads * w]),
    ];
    const byHead = (x: tf.Tensor, rows: number) => tf.transpose(tf.reshape(x, [batch, rows, heads, w]), [0, 2, 1, 3]);
    const plain: Fn = ([q, k, v]) => {
      const scores = tf.matMul(byHead(q, t), byHead(k, s), false, true);
      const out = tf.matMul(tf.softmax(tf.div(scores, Math.sqrt(w))), byHead(v, s));
      return tf.reshape(tf.transpose(out, [0, 2, 1, 3]), [batch * t, heads * w]);
    };
    const kernel: Fn = ([q, k, v]) => attention({ q: only(q), k: only(k), v: only(v) }, { batch, heads });
    await expectKernel(kernel, plain, inputs);
    await expectDifferences("wasm", kernel, inputs);
  });

  it("attention weights average the values to what attention gives", async () => {
    const shape = { batch: 2, heads: 3 };
    const [q, k, v] = [normal(1, [10, 12]), normal(2, [14, 12]), normal(3, [14, 12])];
    const averaged: Fn = ([q, k, v]) => {
      const values = tf.transpose(tf.reshape(v, [2, 7, 3, 4]), [0, 2, 1, 3]);
      const out = tf.matMul(attentionWeights({ q: only(q), k: only(k), v: only(v) }, shape), values);
      return tf.reshape(tf.transpose(out, [0, 2, 1, 3]), [10, 12]);
    };
    await expectKernel(([q, k, v]) => attention({ q: only(q), k: only(k), v: only(v) }, shape), averaged, [q, k, v]);
  });

  it("rows chosen, also twice", async () => {
    const choose: Fn = ([x]) => gatherRows(x, tf.tensor1d([4, 0, 4], "int32"));
    const oneHot: Fn = ([x]) =>
      tf.matMul(tf.tensor2d([0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1], [3, 5]), x as tf.Tensor2D);
    await expectKernel(choose, oneHot, [normal(1, [5, 6])]);
  });

  it("mean and spread of an ensemble", async () => {
    const ens = normal(1, [4, 5, 3]);
    await expectKernel(
      ([x]) => ensembleMean(x),
      ([x]) => tf.mean(x, 1),
      [ens],
    );
    const plain: Fn = ([x]) => tf.sqrt(tf.mul(tf.moments(x, 1).variance, 5 / 4));
    await expectKernel(([x]) => ensembleStd(x), plain, [ens]);
    const [std, grad] = await evaluate("wasm", ([x]) => ensembleStd(x), [
      { shape: [1, 3, 2], data: new Float32Array(6).fill(2) },
    ]);
    expect([...std, ...grad].map(Math.abs)).toEqual(new Array(8).fill(0));
  });

  it("dropout masks are those of the plain stream, of any size, rate and seed", async () => {
    const size = fc.integer({ min: 1, max: 70 });
    const rate = fc.constantFrom(0.05, 0.1, 0.3, 0.5, 0.999, 1e-9);
    const seed = fc.tuple(fc.integer({ min: 0, max: 2 ** 52 }), fc.integer({ min: 0, max: 2 ** 40 }));
    await fc.assert(
      fc.asyncProperty(size, rate, seed, async (n, rate, seed) => {
        const ones = { shape: [n], data: new Float32Array(n).fill(1) };
        const mask: Fn = ([x]) => dropout(x, rate, seed);
        expect(await evaluate("wasm", mask, [ones])).toEqual(await evaluate("cpu", mask, [ones]));
      }),
      { numRuns: 40 },
    );
  });

  it("dropout keeps the expected share, scaled, and is a function of its seed", async () => {
    const ones = { shape: [100, 100], data: new Float32Array(10_000).fill(1) };
    const [a] = await evaluate("wasm", ([x]) => dropout(x, 0.25, [3, 4]), [ones]);
    const [b] = await evaluate("cpu", ([x]) => dropout(x, 0.25, [3, 4]), [ones]);
    const [c] = await evaluate("wasm", ([x]) => dropout(x, 0.25, [3, 5]), [ones]);
    expect(a).toEqual(b);
    expect(a).not.toEqual(c);
    const kept = a.filter((x) => x !== 0);
    expect(kept.every((x) => x === Math.fround(4 / 3))).toBe(true);
    expect(Math.abs(kept.length / 10_000 - 0.75)).toBeLessThan(0.02);
  });
});
