/** Errors of a part of a computation, also those that come in its backward pass, told as its own. */
import * as tf from "@tensorflow/tfjs-core";

/** @param operation of TensorFlow.js that failed, where it is known */
export type Explain = (error: Error, operation: string | null) => Error;

/** An operation's function in a stack trace. */
const OPERATION = /\b(\w+)__op\b/;

/**
 * Runs `work`, and hands every error of it to `explain`; of its gradient too, which is computed later. So that an
 * operation without a gradient is told with whoever used it.
 */
export function explained<T>(work: () => T, explain: Explain): T {
  const { state } = tf.engine();
  const before = state.activeTape?.length ?? 0;
  const told = <R>(run: () => R, operation: string | null): R => {
    try {
      return run();
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      throw explain(error, operation ?? OPERATION.exec(error.stack ?? "")?.[1] ?? null);
    }
  };
  const result = told(work, null);
  for (const node of state.activeTape?.slice(before) ?? []) {
    const { gradient, kernelName } = node;
    node.gradient = (dys) =>
      told(() => {
        if (!gradient) throw new Error(`TensorFlow.js has no gradient of ${kernelName}`);
        const named = Object.entries(gradient(dys));
        return Object.fromEntries(named.map(([input, compute]) => [input, () => told(compute, kernelName)]));
      }, kernelName);
  }
  return result;
}
