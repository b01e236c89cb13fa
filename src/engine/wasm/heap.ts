/** Reading and making tensors inside the WASM backend's memory. */

import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import type { KernelConfig, NamedAttrMap, TensorInfo } from "@tensorflow/tfjs-core";
import * as tf from "@tensorflow/tfjs-core";

export interface Call {
  backend: BackendWasm;
  inputs: Record<string, TensorInfo>;
  attrs: NamedAttrMap;
}

/** The backend's whole memory; the type declarations of the backend leave it out. */
const memory = (backend: BackendWasm): ArrayBuffer =>
  (backend.wasm as unknown as { HEAPU8: Uint8Array }).HEAPU8.buffer as ArrayBuffer;

/** A view of a tensor's elements. It is valid until the next allocation: memory may then have moved. */
export function floats(backend: BackendWasm, { dataId, shape }: TensorInfo): Float32Array {
  const { memoryOffset } = backend.dataIdMap.get(dataId);
  return new Float32Array(memory(backend), memoryOffset, tf.util.sizeFromShape(shape));
}

export function ints(backend: BackendWasm, { dataId, shape }: TensorInfo): Int32Array {
  const { memoryOffset } = backend.dataIdMap.get(dataId);
  return new Int32Array(memory(backend), memoryOffset, tf.util.sizeFromShape(shape));
}

/** Byte address of a tensor's elements. */
export const address = (backend: BackendWasm, { dataId }: TensorInfo): number =>
  backend.dataIdMap.get(dataId).memoryOffset;

/** Registers a kernel for the WASM backend, in place of its own if it has one. */
export function replaceKernel(kernelName: string, run: (call: Call) => TensorInfo | TensorInfo[]): void {
  if (tf.getKernel(kernelName, "wasm")) tf.unregisterKernel(kernelName, "wasm");
  const kernelFunc = (call: unknown) => run(call as Call);
  tf.registerKernel({ kernelName, backendName: "wasm", kernelFunc } as KernelConfig);
}
