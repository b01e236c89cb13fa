/** The native engine for tests of kernels of our own. */
import { vi } from "vitest";
import { openEngine } from "../../src/engine/index.js";
import type { Kernels } from "../../src/engine/jit/operations.js";
import { jitKernels } from "../../src/engine/jit/register.js";
import { openedTensorflow } from "../../src/engine/native.js";
import type { Tensorflow } from "../../src/engine/tensorflow/index.js";

/** The engine with its kernels, whatever the environment says of them. */
export async function openWithKernels(): Promise<{ engine: Tensorflow; kernels: Kernels }> {
  vi.stubEnv("ATMOREP_KERNELS", "1");
  await openEngine("native");
  const engine = openedTensorflow()!;
  return { engine, kernels: jitKernels(engine)! };
}
