/** The native engine against the losses that the original had on the same weights and batches. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import {
  configuration,
  plainStore,
  RUNS,
  type RunName,
  TEST_STEPS,
} from "../../scripts/same-learning/configurations.js";
import { largestDifference, type Recorded, TOLERANCE } from "../../scripts/same-learning/losses.js";
import { ourLosses } from "../../scripts/same-learning/ours.js";
import { tempDir } from "../support/tempDir.js";

const RECORDED: Record<string, Recorded> = JSON.parse(
  readFileSync(new URL("../training/sameLearning.json", import.meta.url), "utf8"),
);
afterEach(() => {
  process.env.ATMOREP_COMPILE = "1";
});

test.for(Object.keys(RUNS) as RunName[])(
  "%s: the original's losses, compiled and operation by operation",
  { timeout: 120_000 },
  async (run) => {
    const folder = tempDir();
    const config = configuration(run, plainStore(folder));
    const curves = [];
    for (const compile of ["1", "0"]) {
      process.env.ATMOREP_COMPILE = compile;
      curves.push(await ourLosses(config, join(folder, compile), TEST_STEPS, { engine: "native" }));
    }
    const [compiled, eager] = curves;
    const original = RECORDED[run].original.slice(0, TEST_STEPS);
    expect(largestDifference(compiled, original).relative).toBeLessThan(TOLERANCE);
    expect(largestDifference(eager, original).relative).toBeLessThan(TOLERANCE);
    expect(largestDifference(compiled, eager).relative).toBeLessThan(TOLERANCE);
  },
);
