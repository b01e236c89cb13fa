/** Memory stays flat while a run trains, validates and saves. */
import { join } from "node:path";
import { expect, it } from "vitest";
import { atmorep, ROOT, runProgram } from "../support/cli.js";
import { tempDir } from "../support/tempDir.js";
import { writeTinyConfig } from "../support/tinyProgram.js";

it("after 300 steps a process needs less than 1.1 times what it needed after 100", async () => {
  await atmorep(["--version"]);
  // a validation every 20 steps, so that everything a run does has been done by step 100
  const config = writeTinyConfig(tempDir(), { num_epochs: 100, num_samples_per_epoch: 40 });
  const { code, stdout, stderr } = await runProgram(process.execPath, [
    join(ROOT, "bench", "memory.mjs"),
    config,
    "300",
  ]);
  expect(stderr).toBe("");
  const { steps, ratio } = JSON.parse(stdout);
  expect(steps).toBe(300);
  expect(ratio, stdout).toBeLessThan(1.1);
  expect(code).toBe(0);
});
