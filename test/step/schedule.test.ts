import { describe, expect, it } from "vitest";
import { learningRates } from "../../src/step/schedule.js";
import { runner } from "../../src/verify/kinds/lr.js";
import { expectGolden, goldenCases } from "../support/golden.js";

const config = { lr_start: 1, lr_max: 8, lr_min: 3, lr_decay_rate: 2, lr_start_epochs: 1, num_epochs: 2 };

describe("learningRates", () => {
  it.each(goldenCases("lr"))("equals the original: %s", async (name) => {
    await expectGolden(runner, name);
  });

  it("starts at the top with one warm-up epoch or none", () => {
    const expected = [8, 4, 3, 3, 3, 3, 3];
    expect(Array.from(learningRates(config))).toEqual(expected);
    expect(Array.from(learningRates({ ...config, lr_start_epochs: 0 }))).toEqual(expected);
  });

  it("may end in the middle of the warm-up", () => {
    const rates = learningRates({ ...config, lr_start_epochs: 8, num_epochs: 1 });
    expect(Array.from(rates)).toEqual([1, 2, 3, 4, 5, 6]);
  });
});
