import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { LlvmError, machineTarget, openJit, withoutAvx512 } from "../../../src/engine/llvm/jit.js";
import { tempDir } from "../../support/tempDir.js";

it("says why a file cannot be loaded", () => {
  const own = join(tempDir(), "libllvmlite.so");
  writeFileSync(own, "not a library");
  for (const options of [{}, { like: "avx2" } as const]) {
    expect(() => openJit(own, options)).toThrow(
      expect.objectContaining({ name: "LlvmError", message: expect.stringContaining(own) }),
    );
  }
});

describe("the vector registers of a processor", () => {
  const target = (features: string[], arch = "x64") => machineTarget("cpu", features, arch);

  it("are AVX-512's where it has both of its parts", () => {
    expect(target(["+avx512f", "+avx512vl", "+avx2", "+fma"])).toEqual({ cpu: "cpu", lanes: 16, registers: 32 });
    for (const part of ["+avx512f", "+avx512vl"]) expect(target([part, "+avx2", "+fma"])).toMatchObject({ lanes: 8 });
  });

  it("are AVX2's with FMA", () => {
    expect(target(["+avx2", "+fma"])).toEqual({ cpu: "cpu", lanes: 8, registers: 16 });
    expect(target(["+avx2", "+fma", "-avx512f", "-avx512vl"])).toMatchObject({ lanes: 8 });
  });

  it("are NEON's on arm64, whatever else", () => {
    for (const features of [[], ["+neon", "+sve"]]) {
      expect(target(features, "arm64")).toEqual({ cpu: "cpu", lanes: 4, registers: 32 });
    }
  });

  it("are not enough without AVX2 or FMA", () => {
    for (const features of [[""], ["+avx2"], ["+fma"], ["+avx", "-avx2", "-fma"], ["avx2", "fma"]]) {
      expect(() => target(features)).toThrow(LlvmError);
      expect(() => target(features)).toThrow("cpu: kernels need AVX2 and FMA");
    }
  });

  it("are AVX2's where AVX-512 is switched off", () => {
    const features = ["+avx512f", "-avx512er", "+avx512vl", "+avx10.1-512", "+avx2", "+fma", "+avx"];
    const without = withoutAvx512(features);
    expect(without).toEqual(["-avx512f", "-avx512er", "-avx512vl", "-avx10.1-512", "+avx2", "+fma", "+avx"]);
    expect(target(without)).toMatchObject({ lanes: 8, registers: 16 });
  });
});
