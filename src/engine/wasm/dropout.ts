/** Dropout masks on the WASM backend. */
import * as tf from "@tensorflow/tfjs-core";
import { BLOCK, streamOf } from "../../random/philox.js";
import { FUSED } from "../kernels/fused.js";
import { address, floats, replaceKernel } from "./heap.js";
import { leastKept } from "./randomLoop.js";
import type { Workspace } from "./workspace.js";

export function registerDropout(work: Workspace): void {
  replaceKernel(FUSED.dropoutMask, ({ backend, attrs }) => {
    const { shape, rate, seed } = attrs as { shape: number[]; rate: number; seed: [number, number] };
    const out = backend.makeOutput(shape, "float32");
    const { key, counter } = streamOf(seed);
    const keep = new Int32Array(Float32Array.of(1 / (1 - rate)).buffer)[0];
    const draw = (to: number, blocks: number, first: number) =>
      work.run.dropoutMask(to, blocks, first, ...counter, ...key, leastKept(rate), keep);
    const size = tf.util.sizeFromShape(shape);
    const blocks = Math.floor(size / BLOCK);
    if (blocks > 0) draw(address(backend, out), blocks, 0);
    if (size % BLOCK > 0) {
      const rest = work.scratch("rest", 4 * BLOCK);
      draw(rest, 1, blocks);
      floats(backend, out).set(work.heap().subarray(rest / 4, rest / 4 + (size % BLOCK)), blocks * BLOCK);
    }
    return out;
  });
}
