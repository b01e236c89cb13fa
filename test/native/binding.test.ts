import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { openEngine } from "../../src/engine/index.js";
import { openedTensorflow } from "../../src/engine/native.js";
import { type Tensorflow, TYPES } from "../../src/engine/tensorflow/index.js";

let engine: Tensorflow;

beforeAll(async () => {
  const { name, description } = await openEngine("native");
  expect(name).toBe("native");
  expect(description).toMatch(
    /^TensorFlow 2\.\d+\.\d+ on the [CG]PU, \d+ threads? \(.*\); (own kernels for|no own kernels:) /,
  );
  engine = openedTensorflow() as Tensorflow;
});

describe("values", () => {
  it("come back as they went in, copied", async () => {
    const given = Float32Array.of(1, -2, 3.5, Number.NaN);
    const x = tf.tensor(given, [2, 2]);
    const y = tf.mul(x, 1);
    given.fill(0);
    expect([...(await y.data())]).toEqual([1, -2, 3.5, Number.NaN]);
    expect(tf.add(tf.tensor1d([7, -8], "int32"), tf.scalar(1, "int32")).arraySync()).toEqual([8, -7]);
    expect(tf.logicalNot(tf.tensor1d([true, false], "bool")).arraySync()).toEqual([0, 1]);
    expect(tf.tensor1d(["ä", ""]).arraySync()).toEqual(["ä", ""]);
    expect(tf.add(tf.tensor([], [0, 3]), 1).shape).toEqual([0, 3]);
  });

  it("of a large tensor are read on another thread", async () => {
    const x = tf.add(tf.ones([1 << 20]), 1);
    const values = await x.data();
    expect(values.length).toBe(1 << 20);
    expect(values.every((value) => value === 2)).toBe(true);
    x.dispose();
  });

  it("must fill the shape", () => {
    expect(() => engine.backend.binding.createTensor([3], TYPES.float32, new Float32Array(2))).toThrow(
      "the values do not fill the shape: 8 bytes for shape [3] of type 1",
    );
  });
});

describe("operations", () => {
  it("agree with the cpu backend's definitions", () => {
    const a = tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]);
    expect(tf.matMul(a, a, false, true).arraySync()).toEqual([
      [14, 32],
      [32, 77],
    ]);
    expect(tf.sum(a, 0).arraySync()).toEqual([5, 7, 9]);
    expect(tf.gather(a, tf.tensor1d([1, 0, 1], "int32")).arraySync()).toEqual([
      [4, 5, 6],
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(tf.erf(0.5).arraySync()).toBeCloseTo(0.5204998778, 7);
  });

  it("that fail name the operation, its inputs and TensorFlow's reason", () => {
    const a = tf.tensor2d([1, 2], [1, 2]);
    const three = tf.tensor1d([1, 2, 3]);
    const ids = engine.backend.getInputTensorIds([a, three]);
    const type = [{ name: "T", type: 4, value: TYPES.float32 }];
    expect(() => engine.context.execute("MatMul", type, ids, 1)).toThrow(
      /MatMul: inputs float32\[1,2\], float32\[3\]: In\[[01]\]/,
    );
    expect(() => engine.context.execute("NoSuchOperation", [], [], 1)).toThrow(/NoSuchOperation/);
    expect(() => engine.context.execute("MatMul", type, ids.slice(1), 1)).toThrow(/MatMul/);
    expect(() => tf.gather(a, tf.tensor1d([7], "int32")).dataSync()).toThrow(/7 is not in \[0, 1\)/);
    expect(() => engine.context.delete(-1)).toThrow("there is no tensor -1");
  });

  it("may have fewer outputs than asked for", () => {
    const ids = engine.backend.getInputTensorIds([tf.scalar(4)]);
    const found = engine.context.execute("Sqrt", [{ name: "T", type: 4, value: TYPES.float32 }], ids, 5);
    expect(found.map(({ shape }) => shape)).toEqual([[]]);
    engine.context.delete(found[0].id);
  });

  it("free the memory of strings with the tensor", () => {
    const text = "x".repeat(1 << 20);
    const once = () => engine.context.delete(engine.context.create([1], TYPES.string, [text]));
    for (let i = 0; i < 50; i++) once();
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 300; i++) once();
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * 2 ** 20);
  });

  it("leave no tensor behind, failing or not", () => {
    const a = tf.ones([2, 3]);
    const ids = engine.backend.getInputTensorIds([a, a]);
    const before = engine.context.size;
    for (let i = 0; i < 2000; i++) {
      const type = [{ name: "T", type: 4, value: TYPES.float32 }];
      expect(() => engine.context.execute("MatMul", type, ids, 1)).toThrow();
      tf.tidy(() => tf.sum(tf.mul(a, a)).dataSync());
    }
    expect(engine.context.size).toBe(before);
  });
});
