/**
 * Collecting garbage at a steady pace. A step leaves thousands of short-lived objects (the recording that gradients are
 * taken from); left alone, V8 lets the heap of a long run grow for some hundred steps before it settles.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Batches between two collections. */
const EVERY = 20;

let collect: (() => void) | null = null;

/** One full collection: some 10 ms. */
export function collectGarbage(): void {
  if (!collect) {
    setFlagsFromString("--expose-gc");
    collect = runInNewContext("gc") as () => void;
  }
  collect();
}

/** A collection every 20 batches. @param done how many there have been */
export function collectAfter(done: number): void {
  if (done % EVERY === 0) collectGarbage();
}
