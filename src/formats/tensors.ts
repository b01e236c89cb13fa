/** Named tensors in files: the dtypes both weight formats share, conversion to numbers, and a reader's interface. */
import { AtmorepError } from "../errors.js";

export type TensorDtype = "F64" | "F32" | "F16" | "BF16" | "I64" | "I32" | "I16" | "I8" | "U8" | "BOOL";

export const DTYPE_SIZE: Readonly<Record<TensorDtype, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
};

/** A tensor's bytes: little-endian, contiguous, last dimension fastest. */
export interface SafeTensor {
  dtype: TensorDtype;
  shape: number[];
  bytes: Uint8Array;
}

/** What is known of a tensor without reading its data. */
export interface TensorInfo {
  name: string;
  dtype: TensorDtype;
  shape: number[];
  /** the first name in the file with the same storage and layout, if another comes before */
  aliasOf?: string;
}

/** An open weights file; tensors are read one at a time. */
export interface TensorFile {
  format: "torch" | "safetensors";
  path: string;
  /** in the file's order */
  tensors: TensorInfo[];
  /** module versions of a PyTorch state dict (`_metadata`), module path to version; null if the file has none */
  moduleVersions: Map<string, number> | null;
  /** @throws AtmorepError (input) if the name is unknown or the data are damaged */
  read(name: string): Promise<SafeTensor>;
  close(): Promise<void>;
}

/** A tensor to be written: `read` is called once, when its turn comes. */
export interface TensorSpec extends TensorInfo {
  read(): Promise<Uint8Array> | Uint8Array;
}

/** 2^-24, the spacing of subnormal half-precision numbers */
const SMALLEST_HALF = 5.9604644775390625e-8;

export function numElements(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

/** Elements of a tensor as float32, converted; a view of the bytes where they are float32 already. */
export function toFloat32(tensor: SafeTensor): Float32Array {
  if (tensor.dtype === "F32" && tensor.bytes.byteOffset % 4 === 0) {
    return new Float32Array(tensor.bytes.buffer, tensor.bytes.byteOffset, tensor.bytes.byteLength >> 2);
  }
  const numbers = toNumbers(tensor);
  return numbers instanceof Float32Array ? numbers : Float32Array.from(numbers);
}

/** Elements in a new array of their own precision; half precisions become float32, int64 float64 (exact below 2^53). */
export function toNumbers(
  tensor: SafeTensor,
): Float32Array | Float64Array | Int32Array | Int16Array | Int8Array | Uint8Array {
  const copy = new Uint8Array(tensor.bytes).buffer;
  switch (tensor.dtype) {
    case "F32":
      return new Float32Array(copy);
    case "F64":
      return new Float64Array(copy);
    case "F16":
      return halfToFloat32(new Uint16Array(copy));
    case "BF16":
      return bfloat16ToFloat32(new Uint16Array(copy));
    case "I64":
      return Float64Array.from(new BigInt64Array(copy), Number);
    case "I32":
      return new Int32Array(copy);
    case "I16":
      return new Int16Array(copy);
    case "I8":
      return new Int8Array(copy);
    case "U8":
    case "BOOL":
      return new Uint8Array(copy);
    default:
      throw new AtmorepError("input", `dtype ${String(tensor.dtype)} is not known`);
  }
}

/** IEEE 754 binary16 to binary32, exactly. */
function halfToFloat32(halves: Uint16Array): Float32Array {
  const out = new Float32Array(halves.length);
  const bits = new Uint32Array(out.buffer);
  for (let i = 0; i < halves.length; i++) {
    const sign = (halves[i] & 0x8000) << 16;
    const exponent = (halves[i] >> 10) & 0x1f;
    const fraction = halves[i] & 0x3ff;
    if (exponent === 0) out[i] = (sign ? -1 : 1) * fraction * SMALLEST_HALF;
    else bits[i] = sign | ((exponent === 0x1f ? 0xff : exponent + 112) << 23) | (fraction << 13);
  }
  return out;
}

function bfloat16ToFloat32(bits: Uint16Array): Float32Array {
  const out = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = bits[i] << 16;
  return new Float32Array(out.buffer);
}

/** Little-endian bytes of a typed array, not copied. Every platform Node runs on is little-endian. */
export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
