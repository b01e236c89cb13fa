import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it, vi } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "compiler-"));
afterAll(() => rmSync(folder, { recursive: true }));
// the checkout may have LLVM
vi.doMock("../../src/engine/folder.js", () => ({ INSTALL_FOLDER: join(folder, "none") }));
const { findKernelCompiler, openKernelCompiler } = await import("../../src/engine/kernelCompiler.js");

mkdirSync(join(folder, "broken"));
const broken = join(folder, "broken", "libllvmlite.so");
writeFileSync(broken, "not a library");

/** What is told of the kernels, on a processor. */
const kernels = (env: Record<string, string>) => {
  const { jit, kernels } = openKernelCompiler("CPU", env, folder);
  expect(jit).toBeNull();
  expect(kernels.used).toBe(false);
  return kernels;
};

it("says what to do where LLVM is missing", () => {
  expect(kernels({})).toMatchObject({
    text: "no own kernels: LLVM was not found",
    fix: expect.stringContaining("atmorep engine install"),
  });
  expect(kernels({ ATMOREP_LLVM: "nowhere" })).toMatchObject({
    text: "no own kernels: ATMOREP_LLVM names no library (nowhere)",
    fix: expect.stringContaining("unset"),
  });
});

it("goes on without a library that cannot be loaded, and names it", () => {
  expect(kernels({ ATMOREP_LLVM: broken })).toMatchObject({
    text: expect.stringMatching(/^no own kernels: .*broken.libllvmlite\.so.*$/),
    file: broken,
    fix: expect.stringContaining("unset"),
  });
});

it("does not look for LLVM where kernels are turned off, or on a GPU", () => {
  expect(kernels({ ATMOREP_KERNELS: "0", ATMOREP_LLVM: broken })).toEqual({
    used: false,
    text: "no own kernels: ATMOREP_KERNELS=0",
  });
  expect(openKernelCompiler("GPU", { ATMOREP_LLVM: broken })).toEqual({
    jit: null,
    kernels: { used: false, text: "no own kernels: they are written for processors" },
  });
});

it("takes a path from the folder it is given in", () => {
  expect(findKernelCompiler({ ATMOREP_LLVM: "broken/libllvmlite.so" }, folder)).toEqual({
    file: broken,
    source: "ATMOREP_LLVM",
  });
});

it("does not go on without products that are asked for", () => {
  const open = (env: Record<string, string>) => () => openKernelCompiler("CPU", env, folder);
  expect(open({ ATMOREP_PRODUCTS: "bf16x3" })).toThrow(/^ATMOREP_PRODUCTS=bf16x3: .*LLVM was not found.*Unset/);
  expect(open({ ATMOREP_PRODUCTS: "bf16x3", ATMOREP_KERNELS: "0" })).toThrow(/ATMOREP_KERNELS=0/);
  expect(open({ ATMOREP_PRODUCTS: "tf32" })).toThrow(/^ATMOREP_PRODUCTS: not a precision/);
  expect(open({ ATMOREP_PRODUCTS: "float32" })().jit).toBeNull();
});
