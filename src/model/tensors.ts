/** Parameters between plain arrays and tensors. */
import * as tf from "@tensorflow/tfjs-core";
import type { Params, PlainParams } from "./types.js";

/** Tensors with copies of the values; the caller disposes them. */
export function toTensors(plain: PlainParams): Params {
  return Object.fromEntries([...plain].map(([name, { shape, data }]) => [name, tf.tensor(data, shape, "float32")]));
}

/** Plain copies of the values. */
export async function toPlain(params: Params): Promise<PlainParams> {
  const plain: PlainParams = new Map();
  for (const [name, tensor] of Object.entries(params)) {
    plain.set(name, { shape: tensor.shape.slice(), data: Float32Array.from(await tensor.data()) });
  }
  return plain;
}
