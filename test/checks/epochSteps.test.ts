import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { epochSteps, leftOverText } from "../../src/checks/epochSteps.js";
import { tinyConfig } from "../support/tinyRun.js";

describe("how an epoch's batches become steps", () => {
  it("every batch is in a step or left over, and there is a step or an error", () => {
    const config = (grad_accumulation: number) => tinyConfig({ grad_accumulation });
    const small = fc.integer({ min: 1, max: 9 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60 }), small, small, (batches, accumulation, processes) => {
        if (batches < accumulation * processes) {
          expect(() => epochSteps(config(accumulation), batches, processes)).toThrow(/too few batches for one step/);
          return;
        }
        const { steps, batchesPerStep, leftOver } = epochSteps(config(accumulation), batches, processes);
        expect(batchesPerStep).toBe(accumulation * processes);
        expect(steps * batchesPerStep + leftOver).toBe(batches);
        expect(leftOver).toBeLessThan(batchesPerStep);
      }),
    );
  });

  it("names the numbers", () => {
    expect(() =>
      epochSteps(tinyConfig({ grad_accumulation: 2, num_samples_per_epoch: 12, batch_size: 4 }), 3, 2),
    ).toThrow(
      /12: 3 batches of 4 samples.*at least 4 batches, 2 \(grad_accumulation\) in each of 2 processes.*16 or more/s,
    );
    expect(leftOverText({ batchesPerStep: 4, steps: 2, leftOver: 1 })).toBe(
      "1 batch at the end of each epoch is not trained on: a step takes 4",
    );
    expect(leftOverText({ batchesPerStep: 4, steps: 2, leftOver: 0 })).toBeNull();
  });
});
