/** Compiling in memory with the library itself. */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";
import { findKernelCompiler } from "../../src/engine/kernelCompiler.js";
import { type Jit, openJit } from "../../src/engine/llvm/jit.js";

const { file } = findKernelCompiler()!;
const koffi: typeof import("koffi") = createRequire(import.meta.url)("koffi");
const FUNCTION = koffi.proto("int32_t", ["int32_t"]);
const run = (address: number, x: number): number => koffi.call(address, FUNCTION, x);

/** a function that adds a number */
const plus = (number: number, name = "plus"): string =>
  `define i32 @${name}(i32 %x) {\n  %y = add i32 %x, ${number}\n  ret i32 %y\n}`;

describe.each([
  ["this processor's", openJit(file)],
  ["AVX2's", openJit(file, { like: "avx2" })],
  ["NEON's", openJit(file, { like: "neon" })],
] satisfies [string, Jit][])("with %s vectors", (_, jit) => {
  it("functions run, however many, compiled here or on other threads", async () => {
    const addresses = Array.from({ length: 5 }, (_, i) => jit.compile(plus(i), "plus"));
    const others = await Promise.all(Array.from({ length: 20 }, (_, i) => jit.compileAsync(plus(100 + i), "plus")));
    expect(new Set([...addresses, ...others]).size).toBe(25);
    expect(addresses.map((address) => run(address, 1))).toEqual([1, 2, 3, 4, 5]);
    expect(others.map((address) => run(address, 1))).toEqual(Array.from({ length: 20 }, (_, i) => 101 + i));
  });

  it("what cannot be compiled is told in LLVM's words, and then others can", async () => {
    const faults: [text: string, name: string, message: RegExp][] = [
      ["define i32 @f( {", "f", /f: .*expected type/s],
      ["define i32 @f() {\n  ret i32 %nothing\n}", "f", /use of undefined value '%nothing'/],
      ["define float @f(float %x) {\n  ret float 0.1\n}", "f", /f: .*constant/s],
      ["define i32 @f(i1 %c) {\nentry:\n  %x = add i32 %x, 1\n  ret i32 %x\n}", "f", /f: Only PHI nodes/],
      [plus(1, "other"), "plus", /plus: the module has no such function/],
    ];
    for (const [text, name, message] of faults) {
      expect(() => jit.compile(text, name)).toThrow(
        expect.objectContaining({ name: "LlvmError", message: expect.stringMatching(message) }),
      );
      await expect(jit.compileAsync(text, name)).rejects.toMatchObject({
        name: "LlvmError",
        message: expect.stringMatching(message),
      });
    }
    expect(run(jit.compile(plus(7), "plus"), 1)).toBe(8);
  });
});

it("the matrix unit is asked for where it is wanted only", () => {
  expect(openJit(file).target.matrixUnit).toBe(false);
  const has = /\bamx_bf16\b/.test(existsSync("/proc/cpuinfo") ? readFileSync("/proc/cpuinfo", "utf8") : "");
  expect(openJit(file, { matrixUnit: true }).target.matrixUnit).toBe(has);
});

it("the same library is loaded once for each kind of vectors", () => {
  expect(openJit(file)).toBe(openJit(file));
  expect(openJit(file, { like: "avx2" })).toBe(openJit(file, { like: "avx2" }));
  expect(openJit(file, { like: "avx2" })).not.toBe(openJit(file));
  expect(openJit(file, { like: "neon" }).target).toMatchObject({ lanes: 4, registers: 32 });
  const { cpu } = openJit(file).target;
  const narrower = process.arch === "arm64" ? { lanes: 4, registers: 32 } : { lanes: 8, registers: 16 };
  expect(openJit(file, { like: "avx2" }).target).toEqual({ cpu, ...narrower, matrixUnit: false });
});
