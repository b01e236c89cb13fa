import { describe, it } from "vitest";
import { runner } from "../../src/verify/kinds/train.js";
import { expectGolden, goldenCases } from "../support/golden.js";

describe("golden training steps", () => {
  it.each(goldenCases("train"))("%s", async (name) => {
    await expectGolden(runner, name);
  });
});
