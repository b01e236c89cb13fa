/** Our training against the losses that the original had on the same weights and batches (scripts/same-learning). */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  configuration,
  plainStore,
  RUNS,
  type RunName,
  TEST_STEPS,
} from "../../scripts/same-learning/configurations.js";
import { largestDifference, type Recorded, TOLERANCE } from "../../scripts/same-learning/losses.js";
import { ourLosses, writeMaterial } from "../../scripts/same-learning/ours.js";
import { tempDir } from "../support/tempDir.js";

const RECORDED: Record<string, Recorded> = JSON.parse(
  readFileSync(new URL("sameLearning.json", import.meta.url), "utf8"),
);

test.for(Object.keys(RUNS) as RunName[])(
  "%s: the original's losses, step by step",
  { timeout: 120_000 },
  async (run) => {
    const folder = tempDir();
    const config = configuration(run, plainStore(folder));
    const { sha256, original } = RECORDED[run];
    expect(await writeMaterial(config, folder, TEST_STEPS)).toBe(sha256[TEST_STEPS]);
    const ours = await ourLosses(config, folder, TEST_STEPS);
    expect(largestDifference(ours, original.slice(0, TEST_STEPS)).relative).toBeLessThan(TOLERANCE);
    // that the comparison can fail
    expect(largestDifference(ours.toReversed(), ours).relative).toBeGreaterThan(TOLERANCE);
  },
);
