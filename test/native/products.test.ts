/** Products of linear layers in the precision that the environment asks for. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, describe, expect, it, vi } from "vitest";
import { openEngine } from "../../src/engine/index.js";
import { findKernelCompiler } from "../../src/engine/kernelCompiler.js";
import { FUSED, hasKernel } from "../../src/engine/kernels/fused.js";
import { linear } from "../../src/engine/kernels/index.js";
import { openJit } from "../../src/engine/llvm/jit.js";
import { normal } from "../engine/support.js";
import { distance } from "./jit/machines.js";

const { matrixUnit } = openJit(findKernelCompiler()!.file, { matrixUnit: true }).target;
vi.stubEnv("ATMOREP_KERNELS", "1");
vi.stubEnv("ATMOREP_PRODUCTS", "bf16x3");
afterAll(() => vi.unstubAllEnvs());

describe.runIf(!matrixUnit)("without a matrix unit", () => {
  it.each(["native", "auto"] as const)("the engine %s does not start, and says why", async (name) => {
    await expect(openEngine(name)).rejects.toThrow(/^ATMOREP_PRODUCTS=bf16x3: .*Unset ATMOREP_PRODUCTS/);
  });
});

describe.runIf(matrixUnit)("with a matrix unit", () => {
  it("the engine says so", async () => {
    expect((await openEngine("native")).description).toContain("products in bf16x3");
    expect(hasKernel(FUSED.product)).toBe(true);
  });

  it.each([
    [70, 64, 200],
    [200, 70, 65],
    // left to TensorFlow, since half of the unit's tiles would stand empty
    [63, 70, 70],
  ])("a linear layer of %i rows from %i to %i, and its gradients", async (rows, inputs, outputs) => {
    await openEngine("native");
    const given = [normal(1, [rows, inputs]), normal(2, [outputs, inputs]), normal(3, [outputs])];
    const upstream = normal(4, [rows, outputs]);
    const all = (fn: (x: tf.Tensor, w: tf.Tensor, b: tf.Tensor | null) => tf.Tensor, bias: boolean) =>
      tf.tidy(() => {
        const [x, w, b] = given.map(({ data, shape }) => tf.tensor(data, shape));
        const dy = tf.tensor(upstream.data, upstream.shape);
        const run = (x: tf.Tensor, w: tf.Tensor, b: tf.Tensor | null = null) => fn(x, w, b);
        const grads = tf.grads((...args) => tf.sum(tf.mul(run(args[0], args[1], args[2]), dy)));
        const used = bias ? [x, w, b] : [x, w];
        return [run(x, w, bias ? b : null), ...grads(used)].map((tensor) => tensor.dataSync());
      });
    for (const bias of [true, false]) {
      const plain = all((x, w, b) => {
        const y = tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D, false, true);
        return b ? tf.add(y, b) : y;
      }, bias);
      const own = all(linear, bias);
      expect(own.length).toBe(bias ? 4 : 3);
      for (const [i, values] of plain.entries()) expect(distance(own[i], values)).toBeLessThan(2e-6);
    }
  });
});
