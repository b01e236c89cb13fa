/** Calling a function of tensors the way an engine calls a step. */
import type { Engine, PureFunction } from "./engine.js";

/**
 * Calls `fn` once: compiled where the engine compiles, else operation by operation. Of functions that are called again
 * and again, `engine.prepare` keeps what was traced.
 *
 * @returns what `fn` returns; the caller disposes its tensors
 * @throws Error that explains what cannot be traced
 */
export async function callOnce<I, O>(engine: Engine, label: string, inputs: I, fn: PureFunction<I, O>): Promise<O> {
  const prepared = engine.prepare(label, fn);
  try {
    return await prepared.call(inputs);
  } finally {
    prepared.release();
  }
}
