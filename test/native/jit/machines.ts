/** Kernels called as TensorFlow calls them, on memory that ends where they must stop. */
import { createRequire } from "node:module";
import { expect } from "vitest";
import { findKernelCompiler } from "../../../src/engine/kernelCompiler.js";
import { type Jit, openJit } from "../../../src/engine/llvm/jit.js";

const koffi: typeof import("koffi") = createRequire(import.meta.url)("koffi");
const system = koffi.load(null);
const ADDRESS = "uint64_t";
const mmap = system.func("mmap", ADDRESS, [ADDRESS, "size_t", "int", "int", "int", "int64_t"]);
const mprotect = system.func("mprotect", "int", [ADDRESS, "size_t", "int"]);
const munmap = system.func("munmap", "int", [ADDRESS, "size_t"]);
const KERNEL = koffi.proto("void", [ADDRESS, ADDRESS, ADDRESS, ADDRESS]);

/** whole pages everywhere */
const PAGE = 65536;
/** bytes before the beginning that are looked at */
const BEFORE = 4096;
const [READ_WRITE, NONE] = [3, 0];
const PRIVATE_ANONYMOUS = process.platform === "darwin" ? 0x1002 : 0x22;

const file = findKernelCompiler()!.file;

/** The processor as it is, and the vectors of others. */
export const MACHINES: readonly [name: string, jit: Jit][] = [
  ["this processor", openJit(file)],
  ["AVX2", openJit(file, { like: "avx2" })],
  ["NEON", openJit(file, { like: "neon" })],
];

/** Memory that cannot be touched beyond its end; what lies before it is filled with one bit pattern. */
class Guarded {
  private readonly base: number;
  private readonly bytes: number;
  private readonly before: Uint8Array;
  /** what may be used */
  readonly used: Uint8Array;
  readonly address: number;

  constructor(length: number) {
    this.bytes = (Math.ceil(length / PAGE) + 1) * PAGE;
    this.base = mmap(0, this.bytes + PAGE, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0);
    expect(mprotect(this.base + this.bytes, PAGE, NONE)).toBe(0);
    const start = this.bytes - length;
    const all = koffi.view(this.base, this.bytes);
    this.before = new Uint8Array(all, start - BEFORE, BEFORE).fill(0xff);
    this.used = new Uint8Array(all, start, length).fill(0xff);
    this.address = this.base + start;
  }

  /** Checks what lies before, and gives the memory back. */
  release(): void {
    const touched = this.before.some((byte) => byte !== 0xff);
    munmap(this.base, this.bytes + PAGE);
    expect(touched, "written before the beginning").toBe(false);
  }
}

type Numbers = Float32Array | Int32Array | BigInt64Array;

export interface Arrays {
  inputs: readonly Numbers[];
  /** elements of each output */
  outputs: readonly number[];
  /** what the kernel is given by address; the results end with what is there afterwards */
  inPlace?: readonly Float32Array[];
  /** @param addresses of `inPlace` */
  parameters: readonly number[] | ((addresses: number[]) => number[]);
  /** floats */
  scratch?: number;
}

/** A compiled kernel. Outputs and scratch space hold numbers that are none before. */
export type Kernel = (arrays: Arrays) => Float32Array[];

/** @param source LLVM assembly of the kernel as a function of this name */
export function compileKernel(jit: Jit, source: (name: string) => string): Kernel {
  const address = jit.compile(source("kernel"), "kernel");
  return ({ inputs, outputs, inPlace = [], parameters, scratch = 0 }) => {
    const held: Guarded[] = [];
    const hold = (bytes: number): Guarded => {
      const memory = new Guarded(bytes);
      held.push(memory);
      return memory;
    };
    const copy = (array: Numbers): Guarded => {
      const memory = hold(array.byteLength);
      memory.used.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
      return memory;
    };
    const addressesOf = (list: readonly Guarded[]): number[] => list.map(({ address }) => address);
    const list = (numbers: readonly number[]): number => copy(BigInt64Array.from(numbers, BigInt)).address;
    const results = outputs.map((elements) => hold(4 * elements));
    const changed = inPlace.map(copy);
    const given = [
      list(addressesOf(inputs.map(copy))),
      list(addressesOf(results)),
      list(typeof parameters === "function" ? parameters(addressesOf(changed)) : parameters),
      hold(4 * scratch).address,
    ];
    koffi.call(address, KERNEL, ...given);
    const values = [...results, ...changed].map(({ used }) => new Float32Array(Uint8Array.from(used).buffer));
    for (const memory of held) memory.release();
    return values;
  };
}

/** The largest difference from what is expected, relative to the largest number there or to 1. */
export function distance(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  let [scale, error] = [1, 0];
  for (let i = 0; i < expected.length; i++) {
    scale = Math.max(scale, Math.abs(expected[i]));
    const difference = Math.abs(actual[i] - expected[i]);
    // what is not a number is as far away as can be
    error = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(error, difference);
  }
  return error / scale;
}
