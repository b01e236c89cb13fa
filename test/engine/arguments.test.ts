import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { openEngine } from "../../src/engine/index.js";
import { FUSED, runFused } from "../../src/engine/kernels/fused.js";

beforeAll(async () => {
  await openEngine("wasm");
});

const x = () => tf.tensor2d([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [3, 4]);
const whole = (values: number[]) => tf.tensor1d(values, "int32");
const zeros = (...shape: number[]) => tf.zeros(shape);

/** What a cell may ask by mistake; on WASM each read or wrote memory of others. */
const MISTAKES: Record<string, () => unknown> = {
  "slice behind the end": () => tf.slice(x(), [2, 0], [2, 4]).dataSync(),
  "slice of a whole axis too many": () => tf.slice(tf.range(0, 10), [8], [5]).dataSync(),
  "slice before the beginning": () => tf.slice(tf.range(0, 10), [-12], [2]).dataSync(),
  "slice far away": () => tf.slice(tf.range(0, 10), [1e9], [5]).dataSync(),
  gather: () => tf.gather(x(), whole([0, 7])).dataSync(),
  "gather below zero": () => tf.gather(x(), whole([-1])).dataSync(),
  "gather of columns": () => tf.gather(x(), whole([4]), 1).dataSync(),
  gatherND: () => tf.gatherND(x(), tf.tensor2d([[3, 0]], [1, 2], "int32")).dataSync(),
  scatterND: () => tf.scatterND(tf.tensor2d([[9]], [1, 1], "int32"), tf.tensor1d([1]), [4]).dataSync(),
  sparseToDense: () => tf.sparseToDense(whole([5]), tf.tensor1d([1]), [3]).dataSync(),
  "segments of other rows": () => tf.unsortedSegmentSum(x(), whole([0, 1]), 2).dataSync(),
  "a segment that is not there": () => tf.unsortedSegmentSum(x(), whole([0, 1, 2]), 2).dataSync(),
  "products of batches that differ": () => tf.matMul(zeros(2, 3, 2, 2), zeros(3, 2, 2, 2)).dataSync(),
  "products of whole numbers": () =>
    tf.matMul(tf.cast(x(), "int32") as tf.Tensor2D, tf.cast(x(), "int32") as tf.Tensor2D, false, true).dataSync(),
};

/** Calls of our own kernels that do not fit. */
const MISFITS: Record<string, () => unknown> = {
  gelu: () => runFused(FUSED.gelu, { x: tf.cast(x(), "int32") }),
  "gelu's gradient": () => runFused(FUSED.geluGrad, { x: x(), dy: zeros(2) }),
  "layer norm": () => runFused(FUSED.layerNorm, { x: x(), gamma: zeros(3), beta: zeros(4) }),
  "layer norm's gradient": () => runFused(FUSED.layerNormGrad, { x: x(), mean: zeros(3), scale: zeros(2), dy: x() }),
  attention: () =>
    runFused(FUSED.attention, { q: zeros(4, 8), k: zeros(6, 8), v: zeros(4, 8) }, { batch: 2, heads: 2 }),
  "attention's heads": () =>
    runFused(FUSED.attention, { q: zeros(4, 8), k: zeros(6, 8), v: zeros(6, 8) }, { batch: 2, heads: 3 }),
  "attention's sequences": () =>
    runFused(FUSED.attention, { q: zeros(4, 8), k: zeros(5, 8), v: zeros(5, 8) }, { batch: 2, heads: 2 }),
  linear: () => runFused(FUSED.linear, { x: x(), weight: zeros(2, 3), bias: zeros(2) }),
  "linear's bias": () => runFused(FUSED.linear, { x: x(), weight: zeros(2, 4), bias: zeros(1) }),
  "linear's gradient": () => runFused(FUSED.linearGrad, { x: x(), weight: zeros(2, 4), dy: zeros(3, 4) }),
  "a dropout of everything": () => runFused(FUSED.dropoutMask, {}, { shape: [4], rate: 1, seed: [1, 2] }),
  adamw: () =>
    runFused(FUSED.adamw, {
      rates: zeros(3),
      scale: tf.scalar(1),
      x0: zeros(4),
      x1: zeros(3),
      x2: zeros(4),
      x3: zeros(4),
    }),
};

describe("arguments are checked before memory is touched", () => {
  it.each(Object.keys(MISTAKES))("%s", (name) => {
    const kept = tf.tensor1d([1, 2, 3]);
    expect(MISTAKES[name]).toThrow(/slice|gather|scatter|sparse|segment|matMul/i);
    // and what comes later is whole
    expect([...tf.add(kept, 1).dataSync()]).toEqual([2, 3, 4]);
    expect([...tf.slice(x(), [1, 1], [1, 2]).dataSync()]).toEqual([6, 7]);
  });

  it.each(Object.keys(MISFITS))("of our kernel: %s", (name) => {
    expect(MISFITS[name]).toThrow(/^Atmorep\w+: /);
  });

  it("still counts from the end, and takes the mean of truths", () => {
    expect([...tf.slice(x(), [1], [-1]).dataSync()]).toEqual([5, 6, 7, 8, 9, 10, 11, 12]);
    expect(tf.mean(tf.greater(x(), 3)).dataSync()[0]).toBe(0.75);
    expect([...tf.unsortedSegmentSum(tf.tensor1d([1, 2, 4]), whole([0, -1, 0]), 1).dataSync()]).toEqual([5]);
    expect(tf.gather(x(), tf.tensor2d([[3], [0], [1]], [3, 1], "int32"), 1, 1).arraySync()).toEqual([[4], [5], [10]]);
  });
});
