/** Kernels of ours on the WASM backend: what it lacks, and what it computes too slowly or too coarsely. */
import { registerReductions } from "./reduce.js";

export function registerWasmKernels(): void {
  registerReductions();
}
