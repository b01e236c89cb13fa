import { describe, it } from "vitest";
import { runner } from "../../../src/verify/kinds/sampler.js";
import { expectGolden, goldenCases } from "../../support/golden.js";

describe("golden sampler cases", () => {
  it.each(goldenCases("sampler"))("%s", async (name) => {
    await expectGolden(runner, name);
  });
});
