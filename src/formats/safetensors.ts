/**
 * Safetensors: an 8-byte little-endian header length, a JSON header, then raw little-endian data.
 * Format: https://github.com/huggingface/safetensors (README, "Format").
 */
import { readFile } from "node:fs/promises";
import { AtmorepError } from "../errors.js";

export type SafetensorsDtype = "F64" | "F32" | "F16" | "BF16" | "I64" | "I32" | "I16" | "I8" | "U8" | "BOOL";

export interface SafeTensor {
  dtype: SafetensorsDtype;
  shape: number[];
  /** raw little-endian bytes, not copied */
  bytes: Uint8Array;
}

/**
 * Reads a whole safetensors file.
 * @returns tensors by name, in the order of their data
 * @throws AtmorepError (input) if the file is not valid safetensors
 */
export async function readSafetensors(path: string): Promise<Map<string, SafeTensor>> {
  const file = await readFile(path);
  const fail = (what: string) =>
    new AtmorepError("input", what, { where: path, fix: "The file is damaged or not a safetensors file." });
  if (file.length < 8) throw fail("shorter than a safetensors header");
  const headerLength = Number(file.readBigUInt64LE(0));
  if (headerLength > file.length - 8) throw fail("header longer than the file");
  let header: Record<string, { dtype: SafetensorsDtype; shape: number[]; data_offsets: [number, number] }>;
  try {
    header = JSON.parse(file.toString("utf8", 8, 8 + headerLength));
  } catch {
    throw fail("header is not JSON");
  }
  const base = 8 + headerLength;
  const entries = Object.entries(header).filter(([name]) => name !== "__metadata__");
  entries.sort((a, b) => a[1].data_offsets[0] - b[1].data_offsets[0]);
  const tensors = new Map<string, SafeTensor>();
  for (const [name, { dtype, shape, data_offsets }] of entries) {
    const [start, end] = data_offsets;
    if (base + end > file.length || start > end) throw fail(`tensor ${name} lies outside the file`);
    tensors.set(name, { dtype, shape, bytes: file.subarray(base + start, base + end) });
  }
  return tensors;
}

/** Elements of a tensor as float32 (F32, F64 or integers, converted), in a new array. */
export function toFloat32(tensor: SafeTensor): Float32Array {
  const numbers = toNumbers(tensor);
  return numbers instanceof Float32Array ? numbers : Float32Array.from(numbers);
}

/** Elements of a tensor in their own precision; int64 becomes float64 (exact below 2^53). */
export function toNumbers(tensor: SafeTensor): Float32Array | Float64Array | Int32Array | Uint8Array {
  const copy = tensor.bytes.slice().buffer;
  switch (tensor.dtype) {
    case "F32":
      return new Float32Array(copy);
    case "F64":
      return new Float64Array(copy);
    case "I32":
      return new Int32Array(copy);
    case "I64":
      return Float64Array.from(new BigInt64Array(copy), Number);
    case "U8":
    case "BOOL":
      return new Uint8Array(copy);
    default:
      throw new AtmorepError("input", `dtype ${tensor.dtype} is not supported here`);
  }
}
