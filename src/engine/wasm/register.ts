/** Kernels of ours on the WASM backend: what it lacks, and what it computes too slowly or too coarsely. */
import type { TensorInfo } from "@tensorflow/tfjs-core";
import * as tf from "@tensorflow/tfjs-core";
import { registerAdamw } from "./adamw.js";
import { registerAttention } from "./attention.js";
import { registerBorrowed } from "./borrowed.js";
import { registerDropout } from "./dropout.js";
import { registerProducts } from "./gemm.js";
import { registerGuards } from "./guards.js";
import { type Call, replaceKernel } from "./heap.js";
import type { Team } from "./helper.js";
import { registerLinear } from "./linear.js";
import { registerPointwise } from "./pointwise.js";
import { registerReductions } from "./reduce.js";
import { openWorkspace } from "./workspace.js";

/**
 * Call once the WASM backend is the current one.
 * @param team threads that take parts of the work
 */
export function registerWasmKernels(team: Team): void {
  const work = openWorkspace(team);
  replaceKernel(tf.Identity, shareElements);
  registerReductions();
  registerProducts(work);
  registerPointwise(work);
  registerAttention(work);
  registerLinear(work);
  registerDropout(work);
  registerAdamw();
  registerBorrowed();
  registerGuards();
}

/** A tensor that shares the elements of another; the backend's own kernel copies them. */
function shareElements({ backend, inputs: { x } }: Call): TensorInfo {
  backend.incRef(x.dataId);
  return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
}
