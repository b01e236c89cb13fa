/** Numbers for kernel tests, and the two things a kernel is compared with. */
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { expect } from "vitest";
import { defaultRng } from "../../src/random/index.js";

export type Fn = (inputs: tf.Tensor[]) => tf.Tensor;

export interface Plain {
  shape: number[];
  data: Float32Array;
}

/** Standard normal numbers; the same for the same seed. */
export function normal(seed: number, shape: number[]): Plain {
  const data = Float32Array.from(defaultRng(seed).standardNormal(tf.util.sizeFromShape(shape)));
  return { shape, data };
}

/** Value of `fn` and gradients of `sum(fn * weights)`, on a backend. */
export async function evaluate(backend: string, fn: Fn, inputs: Plain[]): Promise<Float32Array[]> {
  await tf.setBackend(backend);
  const before = tf.memory().numTensors;
  const tensors = inputs.map(({ shape, data }) => tf.tensor(data, shape));
  const value = tf.tidy(() => fn(tensors));
  const weights = tf.tensor(normal(99, value.shape).data, value.shape);
  const grads = tf.grads((...xs) => tf.sum(tf.mul(fn(xs), weights)))(tensors);
  const results = [value, ...grads].map((tensor) => Float32Array.from(tensor.dataSync()));
  tf.dispose([tensors, value, weights, grads]);
  expect(tf.memory().numTensors, `tensors left on ${backend}`).toBe(before);
  return results;
}

/** Compares value and gradients of a kernel on WASM with those of a plain formula on the cpu backend. */
export async function expectKernel(kernel: Fn, formula: Fn, inputs: Plain[], tolerance = 2e-5): Promise<void> {
  const expected = await evaluate("cpu", formula, inputs);
  for (const backend of ["wasm", "cpu"]) {
    const actual = await evaluate(backend, kernel, inputs);
    for (const [i, array] of expected.entries()) {
      expect(actual[i].length).toBe(array.length);
      let scale = 1;
      for (const x of array) scale = Math.max(scale, Math.abs(x));
      let error = 0;
      for (let j = 0; j < array.length; j++) error = Math.max(error, Math.abs(actual[i][j] - array[j]));
      expect(error / scale, `${backend}, ${i === 0 ? "value" : `gradient ${i - 1}`}`).toBeLessThan(tolerance);
    }
  }
}

/** Compares the gradients along a random direction with central differences. */
export async function expectDifferences(backend: string, fn: Fn, inputs: Plain[], step = 1e-2): Promise<void> {
  const [value, ...grads] = await evaluate(backend, fn, inputs);
  const weights = normal(99, [value.length]).data;
  for (const [i, input] of inputs.entries()) {
    const direction = normal(7 + i, input.shape).data;
    const sides = [];
    for (const sign of [1, -1]) {
      const moved = inputs.map((other, j) =>
        j === i ? { shape: other.shape, data: other.data.map((x, n) => x + sign * step * direction[n]) } : other,
      );
      const [shifted] = await evaluate(backend, fn, moved);
      sides.push(shifted.reduce((sum, x, n) => sum + x * weights[n], 0));
    }
    const difference = (sides[0] - sides[1]) / (2 * step);
    const slope = grads[i].reduce((sum, g, n) => sum + g * direction[n], 0);
    const length = Math.sqrt(grads[i].reduce((sum, g) => sum + g * g, 0));
    expect(Math.abs(difference - slope) / (length + 1e-3), `input ${i}`).toBeLessThan(1e-2);
  }
}
