import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { openEngine } from "../../src/engine/index.js";
import { keyOf, tensorsIn, withTensors } from "../../src/engine/tree.js";

beforeAll(async () => {
  await openEngine("wasm");
});

describe("trees of tensors", () => {
  it("are taken apart and put together again", () => {
    const [a, b, c] = [1, 2, 3].map((value) => tf.scalar(value));
    const tree = { name: "n", list: [a, null, { b, empty: false }], c: undefined };
    expect(tensorsIn(tree)).toEqual([a, b]);
    expect(withTensors(tree, [c, a])).toEqual({ name: "n", list: [c, null, { b: a, empty: false }], c: undefined });
    expect(tree.list[0]).toBe(a);
  });

  it("have a key of their shapes, types and plain values, not of their elements", () => {
    const key = (values: number[], rest: unknown) => keyOf({ x: tf.tensor1d(values), rest });
    const same = key([1, 2], { empty: false });
    expect(key([3, 4], { empty: false })).toBe(same);
    const others = [key([1], { empty: false }), key([1, 2], { empty: true }), key([1, 2], { empty: null })];
    expect(new Set([same, ...others, keyOf({ x: tf.tensor1d([1, 2], "int32"), rest: { empty: false } })]).size).toBe(5);
    expect(keyOf({ x: "float32[2]" })).not.toBe(keyOf({ x: tf.tensor1d([1, 2]) }));
  });

  it.each([
    ["a Map", new Map()],
    ["a function", () => 0],
    ["a typed array", new Float32Array(1)],
  ])("hold no %s, whose contents a key would not tell", (_, value) => {
    expect(() => keyOf({ value })).toThrow(/cannot hold a/);
  });
});

describe("a prepared function that runs operation by operation", () => {
  it("gives tensors of its own and leaves none behind", async () => {
    const engine = await openEngine("wasm");
    const before = tf.memory().numTensors;
    const prepared = engine.prepare("test", ({ x, factor }: { x: tf.Tensor; factor: number }, seed) => ({
      same: x,
      more: [tf.mul(tf.add(x, 1), factor)],
      seed: seed ? [...seed] : null,
    }));
    const x = tf.tensor1d([1, 2]);
    const { same, more, seed } = await prepared.call({ x, factor: 3 }, [5, 6]);
    expect(seed).toEqual([5, 6]);
    expect([...more[0].dataSync()]).toEqual([6, 9]);
    tf.dispose([same, more]);
    expect([...x.dataSync()]).toEqual([1, 2]);
    x.dispose();
    prepared.release();
    expect(tf.memory().numTensors).toBe(before);
  });
});
