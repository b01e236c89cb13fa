import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { compileFunction, trace } from "../../src/engine/compile/index.js";
import { openEngine } from "../../src/engine/index.js";
import { dropout, layerNorm, startAfter } from "../../src/engine/kernels/index.js";
import { openedTensorflow } from "../../src/engine/native.js";
import type { Tensorflow } from "../../src/engine/tensorflow/index.js";
import { statelessUniform } from "../../src/random/philox.js";

let engine: Tensorflow;
const X = { shape: [2, 3], dtype: "float32" } as const;
const x = () => tf.tensor2d([1, -2, 3, 0.5, 5, -6], [2, 3]);

beforeAll(async () => {
  await openEngine("native");
  engine = openedTensorflow() as Tensorflow;
});

const compile = (fn: (inputs: tf.Tensor[]) => tf.Tensor[], seeded = false) =>
  compileFunction(engine, "test", [{ ...X, shape: [2, 3] }], fn, { seeded });

describe("a compiled function", () => {
  it("gives what the function gives, with other values too", async () => {
    const fn = ([x]: tf.Tensor[]) => [tf.matMul(layerNorm(x) as tf.Tensor2D, x as tf.Tensor2D, false, true), tf.sum(x)];
    const { run, nodes } = compile(fn);
    // the layer norm may be one operation
    expect(nodes).toBeGreaterThan(3);
    for (const given of [x(), tf.mul(x(), -3)]) {
      const [expected, actual] = [fn([given]), await run([given])];
      for (const [i, tensor] of actual.entries()) {
        expect(tensor.shape).toEqual(expected[i].shape);
        for (const [k, value] of [...tensor.dataSync()].entries()) {
          expect(value).toBeCloseTo(expected[i].dataSync()[k], 5);
        }
      }
    }
  });

  it.each([
    [512, 256],
    [256, 512],
    [300, 20],
  ])("multiplies a transposed [100, %i] with [100, %i]", async (m, n) => {
    const numbers = (columns: number, step: number) =>
      tf.tensor2d(
        Float32Array.from({ length: 100 * columns }, (_, i) => ((i * step) % 17) - 8),
        [100, columns],
      );
    const [a, b] = [numbers(m, 5), numbers(n, 11)];
    const shapes = [a, b].map(({ shape }) => ({ shape: [...shape], dtype: "float32" as const }));
    const product = ([a, b]: tf.Tensor[]) => [tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D, true)];
    const [found] = await compileFunction(engine, "test", shapes, product).run([a, b]);
    expect(found.shape).toEqual([m, n]);
    // whole numbers: exact in any order
    expect(found.dataSync()).toEqual(product([a, b])[0].dataSync());
  });

  it("lets operations wait for others that they do not depend on", () => {
    const names = (wait: boolean) =>
      trace(
        engine.backend,
        [{ shape: [2, 3], dtype: "float32" }],
        ([x]) => {
          const first = tf.exp(x);
          if (wait) startAfter(first);
          return [first, tf.neg(x)];
        },
        { seeded: false },
      ).nodes.at(-1)?.inputs;
    expect(names(false)).toEqual(["a0"]);
    expect(names(true)).toEqual(["a0", "^n0"]);
  });

  it("has gradients", async () => {
    const slope = tf.grad((x) => tf.sum(tf.mul(tf.square(x), x)));
    const [result] = await compile(([x]) => [slope(x)]).run([x()]);
    expect([...result.dataSync()]).toEqual([3, 12, 27, 0.75, 75, 108]);
  });

  it("computes a second time what the backward pass repeats", () => {
    const twice = tf.customGrad((x) => ({
      value: tf.sum(tf.exp(tf.mul(x as tf.Tensor, 2))),
      gradFunc: (dy: tf.Tensor) => tf.mul(dy, tf.mul(tf.exp(tf.mul(x as tf.Tensor, 2)), 2)),
    }));
    const slope = tf.valueAndGrad((x) => twice(x));
    const names = compile(([x]) => {
      const { value, grad } = slope(x);
      return [value, grad];
    });
    // Mul and Exp of the forward pass, again in the backward pass
    expect(names.nodes).toBeGreaterThanOrEqual(8);
  });

  it("may give back its own input, which stays the caller's", async () => {
    const given = x();
    const [same, twice] = await compile(([x]) => [x, tf.mul(x, 2)]).run([given]);
    same.dispose();
    expect([...given.dataSync()]).toEqual([1, -2, 3, 0.5, 5, -6]);
    expect(twice.dataSync()[2]).toBe(6);
  });

  it("cannot be run once it is released", async () => {
    const compiled = compile(([x]) => [tf.neg(x)]);
    compiled.release();
    await expect(compiled.run([x()])).rejects.toThrow("test: cannot be run, it is released");
    expect(tf.neg(x()).dataSync()[0]).toBe(-1);
    const early = compile(([x]) => [tf.neg(x)]);
    const running = early.run([x()]);
    early.release();
    await expect(running).rejects.toThrow("released");
    const used = compile(([x]) => [tf.neg(x)]);
    await used.run([x()]);
    used.release();
    used.release();
    await expect(used.run([x()])).rejects.toThrow("released");
  });

  it("is made for its shapes", async () => {
    await expect(compile(([x]) => [tf.neg(x)]).run([tf.ones([3, 2])])).rejects.toThrow(
      "test: input 0 is float32[3,2], compiled for float32[2,3]",
    );
  });

  it("leaves the event loop free while it runs", async () => {
    const side = { shape: [1200, 1200], dtype: "float32" as const };
    const heavy = compileFunction(engine, "heavy", [side], ([a]) => {
      let y = a as tf.Tensor2D;
      for (let i = 0; i < 8; i++) y = tf.mul(tf.matMul(y, y), 1e-3);
      return [y];
    });
    const a = tf.ones([1200, 1200]);
    await heavy.run([a]);
    let ticks = 0;
    const timer = setInterval(() => ticks++, 2);
    await heavy.run([a]);
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(3);
  });
});

describe("what cannot be traced", () => {
  it("a tensor from outside, uploaded or not", () => {
    const fresh = x();
    expect(() => compile(([x]) => [tf.add(x, fresh)])).toThrow(/made outside.*pass it as an input/);
    const used = tf.mul(x(), 2);
    expect(() => compile(([x]) => [tf.add(x, used)])).toThrow(/made outside.*pass it as an input/);
  });

  it("reading elements", () => {
    expect(() => compile(([x]) => [tf.mul(x, tf.sum(x).dataSync()[0])])).toThrow(/reads the elements/);
  });

  it("random numbers of the host", () => {
    expect(() => compile(([x]) => [tf.mul(x, tf.randomUniform([3]))])).toThrow(/random numbers on the host/);
    expect(() => compile(([x]) => [tf.dropout(x, 0.5)])).toThrow(/random numbers on the host/);
  });

  it("dropout without fed seeds", () => {
    expect(() => compile(([x]) => [dropout(x, 0.5, [1, 2])])).toThrow(/same mask at every call/);
  });

  it("an operation whose shape depends on its elements", () => {
    expect(() => compile(([x]) => [tf.unique(x).values])).toThrow(/Unique\w*: .*depends on values/);
  });

  it("an operation that gives others at every call", () => {
    expect(() => compile(([x]) => [tf.multinomial(x as tf.Tensor2D, 3, 7)])).toThrow(/Multinomial: .*at every call/);
  });

  it("and tracing that failed leaves the engine as it was", () => {
    expect(() => compile(() => [x()].map((t) => tf.add(t, tf.scalar(Number(t.dataSync()[0]))))).nodes).not.toThrow();
    expect(tf.add(x(), 1).dataSync()[0]).toBe(2);
    expect(Number.isFinite(tf.randomUniform([1]).dataSync()[0])).toBe(true);
  });
});

describe("dropout", () => {
  it("has the host's mask, eager and compiled, and another one for another seed", async () => {
    const ones = tf.ones([2, 3]);
    const keep = Math.fround(1 / 0.6);
    const mask = (seed: [number, number]) => [...statelessUniform(6, seed)].map((u) => (u >= 0.4 ? keep : 0));
    const seed: [number, number] = [5 + 77 * 2 ** 32, 9];
    expect([...dropout(ones, 0.4, seed).dataSync()]).toEqual(mask(seed));
    const { run } = compile(([x]) => [dropout(x, 0.4, [77 * 2 ** 32, 0])], true);
    for (const [low, step] of [
      [5, 9],
      [6, 9],
      [5, 10],
    ]) {
      const [result] = await run([ones], [low, step]);
      expect([...result.dataSync()]).toEqual(mask([low + 77 * 2 ** 32, step]));
    }
  });
});
