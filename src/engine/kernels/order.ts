/** Wishes about the order of independent operations, for engines that run them in an order of their own. */
import type { Tensor } from "@tensorflow/tfjs-core";

let awaited: Tensor | null = null;

/**
 * What is computed next shall wait for `tensor`, though it does not depend on it. Of many independent chains only a few
 * are then under way at once: fewer intermediate results live, and they stay in the cache. Engines that run one
 * operation after the other need not be told.
 */
export function startAfter(tensor: Tensor | undefined): void {
  awaited = tensor ?? null;
}

/** The tensor to wait for, once. */
export function takeAwaited(): Tensor | null {
  const tensor = awaited;
  awaited = null;
  return tensor;
}
