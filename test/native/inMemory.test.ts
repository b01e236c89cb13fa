import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { openEngine } from "../../src/engine/index.js";
import { openWithKernels } from "./support.js";

const lengths = [1, 7, 4096, 4097, 12_345];
/** On an ArrayBuffer of its own, as the engine asks for: V8 moves small arrays. */
function numbers(length: number): Float32Array {
  const values = new Float32Array(new ArrayBuffer(4 * length));
  for (let i = 0; i < length; i++) values[i] = ((i * 37) % 101) / 13 - 3;
  return values;
}

it("squares of tensors and of numbers in memory: the same bits, and those of float64 nearly", async () => {
  await openWithKernels();
  const engine = await openEngine("native");
  const values = lengths.map(numbers);
  const tensors = values.map((list) => tf.tensor1d(list));
  const found = await engine.squares(tensors);
  expect(await engine.squares(values)).toEqual(found);
  for (const [i, list] of values.entries()) {
    const exact = list.reduce((sum, value) => sum + value * value, 0);
    expect(Math.abs(found[i] / exact - 1)).toBeLessThan(1e-6);
  }
  expect(await engine.squares([])).toEqual([]);
  tf.dispose(tensors);
});

it("elements go out to memory and back, and change no tensor that shares them", async () => {
  await openWithKernels();
  const engine = await openEngine("native");
  const [a, b] = [tf.tensor2d(numbers(6), [2, 3]), tf.tensor1d(numbers(4))];
  const shared = tf.clone(a);
  const memory = new Float32Array(10);
  await engine.copyOut([a, b], memory);
  expect([...memory]).toEqual([...numbers(6), ...numbers(4)]);
  const before = engine.memory().numTensors;
  const [c, d] = await engine.copyIn(
    [a, b],
    memory.map((value) => value + 1),
  );
  expect(engine.memory().numTensors).toBe(before);
  expect([c.shape, d.shape]).toEqual([[2, 3], [4]]);
  expect([...c.dataSync(), ...d.dataSync()]).toEqual([...memory.map((value) => value + 1)]);
  expect([...shared.dataSync()]).toEqual([...numbers(6)]);
  tf.dispose([c, d, shared]);
});
