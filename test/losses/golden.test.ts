import { describe, expect, it } from "vitest";
import { runner } from "../../src/verify/kinds/loss.js";
import { expectGolden, goldenCases } from "../support/golden.js";

describe("golden losses", () => {
  it.each(goldenCases("loss"))("%s", async (name) => {
    const comparisons = await expectGolden(runner, name);
    expect(comparisons.length).toBeGreaterThanOrEqual(8);
  });
});
