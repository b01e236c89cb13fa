import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { beforeAll, expect, it } from "vitest";
import { openEngine } from "../../src/engine/index.js";
import { globalNorm } from "../../src/engine/kernels/index.js";
import { clipScale } from "../../src/step/gradients.js";

beforeAll(async () => {
  await openEngine("wasm");
});

it.each(["wasm", "cpu"])("takes the norm over all gradients, and clips to it, on %s", async (backend) => {
  await tf.setBackend(backend);
  const norm = globalNorm([tf.tensor1d([3, 0]), tf.tensor2d([[4], [12]])]);
  expect(norm.dataSync()[0]).toBe(13);
  expect(clipScale(norm, 1.3).dataSync()[0]).toBeCloseTo(0.1, 6);
  expect(clipScale(norm, 100).dataSync()[0]).toBe(1);
  expect(clipScale(norm, null).dataSync()[0]).toBe(1);
  expect(globalNorm([]).dataSync()[0]).toBe(0);
  await tf.setBackend("wasm");
});
