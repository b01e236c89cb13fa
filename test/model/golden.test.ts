import { describe, it } from "vitest";
import { net } from "../../src/verify/kinds/net.js";
import { expectGolden, goldenCases } from "../support/golden.js";

describe("network against the original", () => {
  it.each(goldenCases("net"))("%s", async (name) => {
    await expectGolden(net, name);
  });
});
