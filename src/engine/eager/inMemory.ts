/** What any backend does with the elements of many tensors at once, through JavaScript's arrays. */
import * as tf from "@tensorflow/tfjs-core";
import type { Gradient } from "../engine.js";

/** As `Engine.copyOut`. */
export async function copyOut(tensors: readonly tf.Tensor[], to: Float32Array): Promise<void> {
  let at = 0;
  for (const tensor of tensors) {
    to.set((await tensor.data()) as Float32Array, at);
    at += tensor.size;
  }
}

/** As `Engine.copyIn`. */
export async function copyIn(tensors: readonly tf.Tensor[], from: Float32Array): Promise<tf.Tensor[]> {
  let at = 0;
  return tensors.map((tensor) => {
    const renewed = tf.tensor(from.slice(at, at + tensor.size), tensor.shape, "float32");
    at += tensor.size;
    tensor.dispose();
    return renewed;
  });
}

/** As `Engine.squares`. */
export const squares = (gradients: readonly Gradient[]): Promise<number[]> =>
  Promise.all(
    gradients.map(async (values) => {
      const numbers = values instanceof Float32Array ? values : ((await values.data()) as Float32Array);
      let total = 0;
      for (let i = 0; i < numbers.length; i++) total += numbers[i] * numbers[i];
      return total;
    }),
  );

/**
 * The gradients as tensors.
 * @returns `release` disposes those made here
 */
export function asTensors(
  grads: Readonly<Record<string, Gradient>>,
  params: Readonly<Record<string, tf.Tensor>>,
): { grads: Record<string, tf.Tensor>; release(): void } {
  const made: tf.Tensor[] = [];
  const tensor = (name: string, values: Gradient): tf.Tensor => {
    if (values instanceof tf.Tensor) return values;
    const own = tf.tensor(values, params[name].shape, "float32");
    made.push(own);
    return own;
  };
  const entries = Object.entries(grads).map(([name, values]) => [name, tensor(name, values)]);
  return { grads: Object.fromEntries(entries), release: () => tf.dispose(made) };
}
