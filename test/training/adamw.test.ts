import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { beforeAll, describe, expect, it } from "vitest";
import { openEngine } from "../../src/engine/index.js";
import type { Params } from "../../src/model/types.js";
import { defaultRng } from "../../src/random/index.js";
import { adamwInit, adamwRates, adamwUpdate } from "../../src/step/adamw.js";
import { clipScale, globalNorm } from "../../src/step/gradients.js";

const sizes: Record<string, number> = { a: 7, b: 1, c: 300 };
const options = { weightDecay: 0.1 };
const values = (seed: number) => {
  const random = defaultRng(seed);
  return Object.fromEntries(
    Object.entries(sizes).map(([name, n]) => [name, Float32Array.from({ length: n }, () => 2 * random.random() - 1)]),
  );
};
const tensors = (record: Record<string, Float32Array>): Params =>
  Object.fromEntries(Object.entries(record).map(([name, data]) => [name, tf.tensor1d(data)]));

/** Four updates on the current backend; `c` gets no gradient in the third. */
function fourUpdates(scale: number): Record<string, number[]> {
  let params = tensors(values(1));
  let state = adamwInit(params);
  for (let t = 1; t <= 4; t++) {
    const grads = tensors(values(1 + t));
    if (t === 3) delete grads.c;
    ({ params, state } = adamwUpdate(params, grads, state, adamwRates(0.01, t, options), tf.scalar(scale), options));
  }
  return Object.fromEntries(Object.entries(params).map(([name, tensor]) => [name, [...tensor.dataSync()]]));
}

/** The same in float64, written from the definition. */
function expected(scale: number): Record<string, number[]> {
  const start = values(1);
  return Object.fromEntries(
    Object.keys(sizes).map((name) => {
      const result = Array.from(start[name], (first, i) => {
        let [p, m, v] = [first, 0, 0];
        for (let t = 1; t <= 4; t++) {
          if (t === 3 && name === "c") continue;
          const g = scale * values(1 + t)[name][i];
          p -= 0.01 * 0.1 * p;
          m = 0.9 * m + 0.1 * g;
          v = 0.999 * v + 0.001 * g * g;
          p -= (0.01 * (m / (1 - 0.9 ** t))) / (Math.sqrt(v / (1 - 0.999 ** t)) + 1e-8);
        }
        return p;
      });
      return [name, result];
    }),
  );
}

beforeAll(async () => {
  await openEngine("wasm");
});

describe.each(["wasm", "cpu"])("AdamW on %s", (backend) => {
  it.each([1, 0.25])("equals its definition in float64, gradients scaled by %s", async (scale) => {
    await tf.setBackend(backend);
    const actual = fourUpdates(scale);
    for (const [name, list] of Object.entries(expected(scale))) {
      for (const [i, value] of list.entries()) expect(Math.abs(actual[name][i] - value)).toBeLessThan(2e-6);
    }
    await tf.setBackend("wasm");
  });

  it("takes the norm over all gradients, and clips to it", async () => {
    await tf.setBackend(backend);
    const grads: Params = { a: tf.tensor1d([3, 0]), b: tf.tensor2d([[4], [12]]) };
    const norm = globalNorm(grads);
    expect(norm.dataSync()[0]).toBe(13);
    expect(clipScale(norm, 1.3).dataSync()[0]).toBeCloseTo(0.1, 6);
    expect(clipScale(norm, 100).dataSync()[0]).toBe(1);
    expect(clipScale(norm, null).dataSync()[0]).toBe(1);
    expect(globalNorm({}).dataSync()[0]).toBe(0);
    await tf.setBackend("wasm");
  });
});
