import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, it, vi } from "vitest";
import { openEngine } from "../../src/engine/index.js";
import { missingInstructions } from "../../src/engine/tensorflow/index.js";

afterEach(() => vi.unstubAllEnvs());

const folder = mkdtempSync(join(tmpdir(), "open-"));
const broken = join(folder, "libtensorflow_cc.so.2");
writeFileSync(broken, "not a library");
afterAll(() => rmSync(folder, { recursive: true }));

it("falls back to WASM with one line where the library cannot be loaded, and fails where it was asked for", async () => {
  vi.stubEnv("ATMOREP_TENSORFLOW", broken);
  const { name, instead } = await openEngine("auto");
  expect(name).toBe("wasm");
  expect(instead).toMatchObject({ reason: "unusable", text: expect.stringContaining(broken) });
  expect(instead?.text).toMatch(/^the native engine cannot be used, WASM is: .+$/);
  await expect(openEngine("native")).rejects.toThrow(/native engine cannot be used here.*engine install/s);
  expect((await openEngine("wasm")).instead).toBeNull();
});

it("says that a path names no library", async () => {
  vi.stubEnv("ATMOREP_TENSORFLOW", join(folder, "nowhere"));
  expect(await openEngine("auto")).toMatchObject({
    name: "wasm",
    instead: { reason: "unusable", text: expect.stringContaining("ATMOREP_TENSORFLOW names no library") },
  });
});

it("does not load the library where the processor would end the process", () => {
  const linux = { platform: "linux", arch: "x64" };
  expect(missingInstructions("flags\t\t: fpu sse4_2\n", linux)).toMatch(/AVX/);
  expect(missingInstructions("flags\t\t: fpu sse4_2 avx avx2\n", linux)).toBeNull();
  expect(missingInstructions("Features\t: asimd\n", { platform: "linux", arch: "arm64" })).toBeNull();
  expect(missingInstructions("", linux)).toBeNull();
});
