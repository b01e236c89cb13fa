/** What is told of kernels of our own where LLVM cannot be loaded; the engine works without. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, expect, it, vi } from "vitest";
import { engineCheck } from "../../src/doctor/engine.js";
import { thisHost } from "../../src/doctor/index.js";
import { openEngine } from "../../src/engine/index.js";

const folder = mkdtempSync(join(tmpdir(), "kernels-"));
const broken = join(folder, "libllvmlite.so");
writeFileSync(broken, "not a library");
afterAll(() => rmSync(folder, { recursive: true }));

it("is the reason, in the description and in doctor", async () => {
  vi.stubEnv("ATMOREP_KERNELS", "1");
  vi.stubEnv("ATMOREP_LLVM", broken);
  const { kernels, description } = await openEngine("native");
  expect(kernels).toMatchObject({ used: false, file: broken, text: expect.stringMatching(/^no own kernels: /) });
  expect(description).toContain(`; ${kernels?.text}`);
  expect(tf.add(1, 2).dataSync()[0]).toBe(3);
  const { status, found } = await engineCheck(thisHost());
  expect(status).toBe("ok");
  expect(found).toContain(`; ${kernels?.text}`);
});
