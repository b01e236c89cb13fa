/** Kernels of ours on the WASM backend: what it lacks, and what it computes too slowly or too coarsely. */
import { registerAttention } from "./attention.js";
import { registerProducts } from "./gemm.js";
import { registerLinear } from "./linear.js";
import { registerPointwise } from "./pointwise.js";
import { registerReductions } from "./reduce.js";
import { openWorkspace } from "./workspace.js";

/** Call once the WASM backend is the current one. */
export function registerWasmKernels(): void {
  const work = openWorkspace();
  registerReductions();
  registerProducts(work);
  registerPointwise(work);
  registerAttention(work);
  registerLinear(work);
}
