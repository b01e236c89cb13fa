/** Values between JavaScript arrays and TensorFlow's tensors, always by copy: no memory of V8 is lent. */
import { TensorflowError } from "./errors.js";
import { type Native, offHeap } from "./native.js";

/** TensorFlow's numbers of the element types used here (tensorflow/core/framework/types.proto). */
export const TYPES = {
  float32: 1,
  uint8: 4,
  int32: 3,
  string: 7,
  complex64: 8,
  int64: 9,
  bool: 10,
  resource: 20,
} as const;

/** Elements of a tensor in JavaScript; strings as their bytes. */
export type HostValues = Float32Array | Int32Array | Uint8Array | BigInt64Array | Uint8Array[] | string[];

const BYTES: Record<number, number> = { 1: 4, 3: 4, 4: 1, 8: 8, 9: 8, 10: 1 };
const STRING_BYTES = 24;
const dims = new BigInt64Array(new ArrayBuffer(8 * 32));

/** Bytes of one element of a type; 0 for types without a fixed size. */
export const elementBytes = (dtype: number): number => BYTES[dtype] ?? 0;

/**
 * A TF_Tensor with a copy of the values; the caller deletes it.
 * @throws TensorflowError if the values do not fill the shape
 */
export function newTensor(native: Native, shape: readonly number[], dtype: number, values: HostValues): number {
  const { api, copyIn } = native;
  let size = 1;
  for (const [i, dim] of shape.entries()) {
    dims[i] = BigInt(dim);
    size *= dim;
  }
  if (dtype === TYPES.string) return newStrings(native, shape.length, values as string[] | Uint8Array[]);
  const view = values as ArrayBufferView;
  if (view.byteLength !== size * elementBytes(dtype)) {
    const found = `${view.byteLength} bytes for shape [${shape}] of type ${dtype}`;
    throw new TensorflowError("INVALID_ARGUMENT", "createTensor", `the values do not fill the shape: ${found}`);
  }
  const tensor = api.TF_AllocateTensor(dtype, dims, shape.length, view.byteLength);
  if (tensor === 0) throw new TensorflowError("RESOURCE_EXHAUSTED", "createTensor", `no memory for [${shape}]`);
  if (view.byteLength > 0) copyIn(api.TF_TensorData(tensor), view, view.byteLength);
  return tensor;
}

function newStrings({ api }: Native, rank: number, values: readonly (string | Uint8Array)[]): number {
  const tensor = api.TF_AllocateTensor(TYPES.string, dims, rank, values.length * STRING_BYTES);
  const data = api.TF_TensorData(tensor);
  for (const [i, value] of values.entries()) {
    const bytes = typeof value === "string" ? Buffer.from(value) : value;
    api.TF_StringInit(data + STRING_BYTES * i);
    api.TF_StringCopy(data + STRING_BYTES * i, bytes, bytes.length);
  }
  return tensor;
}

/** Frees what the strings of a tensor hold beside the tensor's own memory. */
export function releaseStrings({ api }: Native, tensor: number): void {
  const data = api.TF_TensorData(tensor);
  const count = api.TF_TensorByteSize(tensor) / STRING_BYTES;
  for (let i = 0; i < count; i++) api.TF_StringDealloc(data + STRING_BYTES * i);
}

/** Copies the elements of a TF_Tensor. */
export function readTensor(native: Native, tensor: number): HostValues {
  const { api, copyOut } = native;
  if (api.TF_TensorType(tensor) === TYPES.string) return readStrings(native, tensor);
  const { values, bytes } = emptyValues(native, tensor);
  if (bytes > 0) copyOut(values, api.TF_TensorData(tensor), bytes);
  return values;
}

/** The same on another thread. The tensor must live until then. */
export function readTensorAsync(native: Native, tensor: number): Promise<HostValues> {
  const { api, copyOut } = native;
  const { values, bytes } = emptyValues(native, tensor);
  return new Promise((resolve, reject) => {
    copyOut.async(values, api.TF_TensorData(tensor), bytes, (error) => (error ? reject(error) : resolve(values)));
  });
}

function emptyValues({ api }: Native, tensor: number) {
  const dtype = api.TF_TensorType(tensor);
  const bytes = api.TF_TensorByteSize(tensor);
  const { buffer } = offHeap(bytes) as { buffer: ArrayBuffer };
  if (dtype === TYPES.float32 || dtype === TYPES.complex64) return { values: new Float32Array(buffer), bytes };
  if (dtype === TYPES.int32) return { values: new Int32Array(buffer), bytes };
  if (dtype === TYPES.int64) return { values: new BigInt64Array(buffer), bytes };
  if (dtype === TYPES.bool || dtype === TYPES.uint8) return { values: new Uint8Array(buffer), bytes };
  throw new TensorflowError("UNIMPLEMENTED", "tensorData", `elements of type ${dtype} cannot be read`);
}

function readStrings({ api, copyOut }: Native, tensor: number): Uint8Array[] {
  const data = api.TF_TensorData(tensor);
  return Array.from({ length: api.TF_TensorByteSize(tensor) / STRING_BYTES }, (_, i) => {
    const text = data + STRING_BYTES * i;
    const bytes = new Uint8Array(api.TF_StringGetSize(text));
    if (bytes.length > 0) copyOut(bytes, api.TF_StringGetDataPointer(text), bytes.length);
    return bytes;
  });
}
