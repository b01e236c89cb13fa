import { expect, test } from "vitest";
import { runner } from "../../../src/verify/kinds/run.js";
import { expectGolden, goldenCases } from "../../support/golden.js";

test("the golden folder has runs", () => expect(goldenCases("run")).toContain("run_bert"));

test.each(goldenCases("run"))("%s", async (name) => {
  await expectGolden(runner, name);
});
