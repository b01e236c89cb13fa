/** Reading and making tensors inside the WASM backend's memory. */

import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import type { KernelConfig, NamedAttrMap, TensorInfo } from "@tensorflow/tfjs-core";
import * as tf from "@tensorflow/tfjs-core";
import { checkArguments } from "../kernels/arguments.js";

export interface Call {
  backend: BackendWasm;
  inputs: Record<string, TensorInfo>;
  attrs: NamedAttrMap;
}

/** The backend's whole memory; the type declarations of the backend leave it out. */
const memory = (backend: BackendWasm): ArrayBuffer =>
  (backend.wasm as unknown as { HEAPU8: Uint8Array }).HEAPU8.buffer as ArrayBuffer;

/** A view of a tensor's elements. It is valid until the next allocation: memory may then have moved. */
export function floats(backend: BackendWasm, { dataId, shape, dtype }: TensorInfo): Float32Array {
  expectType("float32", dtype);
  const { memoryOffset } = backend.dataIdMap.get(dataId);
  return new Float32Array(memory(backend), memoryOffset, tf.util.sizeFromShape(shape));
}

export function ints(backend: BackendWasm, { dataId, shape, dtype }: TensorInfo): Int32Array {
  expectType("int32", dtype);
  const { memoryOffset } = backend.dataIdMap.get(dataId);
  return new Int32Array(memory(backend), memoryOffset, tf.util.sizeFromShape(shape));
}

/** The elements of a tensor of any type of numbers; true and false are 1 and 0, of one byte each. */
export function numbers(backend: BackendWasm, info: TensorInfo): Float32Array | Int32Array | Uint8Array {
  if (info.dtype === "float32") return floats(backend, info);
  if (info.dtype === "int32") return ints(backend, info);
  expectType("bool", info.dtype);
  const { memoryOffset } = backend.dataIdMap.get(info.dataId);
  return new Uint8Array(memory(backend), memoryOffset, tf.util.sizeFromShape(info.shape));
}

/** Elements of another type have another size. */
function expectType(wanted: tf.DataType, dtype: tf.DataType): void {
  if (dtype !== wanted) throw new Error(`a kernel of ours was given a tensor of type ${dtype} in place of ${wanted}`);
}

/** Byte address of a tensor's elements. */
export const address = (backend: BackendWasm, { dataId }: TensorInfo): number =>
  backend.dataIdMap.get(dataId).memoryOffset;

/** Registers a kernel for the WASM backend, in place of its own if it has one. */
export function replaceKernel(kernelName: string, run: (call: Call) => TensorInfo | TensorInfo[]): void {
  if (tf.getKernel(kernelName, "wasm")) tf.unregisterKernel(kernelName, "wasm");
  const kernelFunc = (call: unknown) => {
    const { inputs, attrs } = call as Call;
    checkArguments(kernelName, inputs, attrs ?? {});
    return run(call as Call);
  };
  tf.registerKernel({ kernelName, backendName: "wasm", kernelFunc } as KernelConfig);
}
