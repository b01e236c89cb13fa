import { describe, expect, it } from "vitest";
import { estimateFlops, estimateMemory } from "../../src/checks/estimate.js";
import { planNetwork, planRun } from "../../src/checks/plan.js";
import { resolveConfig } from "../../src/config/resolve.js";
import { modelSpec } from "../../src/model/index.js";
import { tinyConfig } from "../support/tinyRun.js";

describe("the plan of a run", () => {
  it("counts the storm preset's steps, samples and shapes", async () => {
    const plan = await planRun(resolveConfig({ preset: "storm" }).config);
    expect(plan).toMatchObject({ parameters: 144_170, steps: 2000, stepsPerEpoch: 500, validationSamples: 320 });
    expect(plan.firstBatch.velocity_v).toEqual({ tokens: [8, 1, 28, 36], infos: [8, 1, 28, 8], target: [96, 36] });
  });

  it("tells what several processes make of an epoch, and whose masks each draws", async () => {
    const config = tinyConfig({ num_samples_per_epoch: 16, grad_accumulation: 2 });
    const alone = await planRun(config);
    expect(alone).toMatchObject({ stepsPerEpoch: 4, samplesPerStep: 4, leftOverBatches: 0, masking: { batches: 2 } });
    const three = { processes: 3 };
    const run = await planRun({ ...config, mask_streams: "run" }, three);
    expect(run).toMatchObject({ stepsPerEpoch: 1, samplesPerStep: 12, leftOverBatches: 2, masking: { batches: 6 } });
    expect(run.warnings.join()).toContain("2 batches at the end of each epoch are not trained on: a step takes 6");
    expect(run.masking.seconds).toBeGreaterThan(0);
    const batch = await planRun({ ...config, mask_streams: "batch" }, three);
    expect(batch.masking.batches).toBe(2);
    await expect(planRun(config, { processes: 5 })).rejects.toThrow(/too few batches/);
  });

  it("tells parameters, memory and time where the data are not", () => {
    const { parameters, memory, days } = planNetwork(resolveConfig({ preset: "single" }).config);
    expect(parameters).toBe(117_656_336);
    expect(memory.parameters).toBe(parameters * 16);
    expect(days).toBeGreaterThan(1000);
  });

  it("grows with batch, width and tokens as the arithmetic does", () => {
    const spec = (set: Record<string, unknown> = {}) => modelSpec(tinyConfig(set));
    expect(estimateFlops(spec(), 4)).toBeCloseTo(2 * estimateFlops(spec(), 2), 3);
    expect(estimateMemory(spec(), 4).activations).toBe(2 * estimateMemory(spec(), 2).activations);
    const deeper =
      estimateFlops(spec({ encoder_num_layers: 3 }), 2) - estimateFlops(spec({ encoder_num_layers: 2 }), 2);
    const [rows, tokens, d] = [72, 36, 24];
    // q, k, v, out and an MLP of two layers: 8 d^2 a row each way of a product; attention: two products of T x T x d
    expect(deeper).toBe(3 * (8 * rows * d * d + 4 * rows * tokens * d + 8 * rows * d * d));
  });
});
