/** Calling a function of tensors the way the current engine calls a step. */
import * as tf from "@tensorflow/tfjs-core";
import { compiler } from "../native.js";
import { compileFunction } from "./function.js";

/**
 * Calls `fn` once: compiled where the engine compiles, else operation by operation. For functions that are called
 * again and again, `compileFunction` keeps what was traced.
 *
 * @returns what `fn` returns; the caller disposes it
 * @throws Error that explains what cannot be traced
 */
export async function callOnce(
  label: string,
  inputs: readonly tf.Tensor[],
  fn: (inputs: tf.Tensor[]) => readonly tf.Tensor[],
): Promise<tf.Tensor[]> {
  const engine = compiler();
  if (!engine) return tf.tidy(() => [...fn([...inputs])]);
  const shapes = inputs.map(({ shape, dtype }) => ({ shape: [...shape], dtype }));
  const compiled = compileFunction(engine, label, shapes, fn);
  try {
    return await compiled.run(inputs);
  } finally {
    compiled.release();
  }
}
