/** Two processes that train one model, through Open MPI's mpirun. */

import { join } from "node:path";
import { expect, it } from "vitest";
import { atmorep } from "../support/cli.js";
import { tempDir } from "../support/tempDir.js";
import { writeTinyConfig } from "../support/tinyProgram.js";
import { describeTraining, installed, OPEN_MPI } from "./training.js";

it("is installed: apt-get install openmpi-bin", () => {
  expect(installed(OPEN_MPI)).toBe(true);
});

describeTraining(OPEN_MPI);

it("processes that MPI does not join are refused", async () => {
  const out = tempDir();
  const env = { ...process.env, SLURM_STEP_NUM_TASKS: "2" };
  const { code, stderr } = await atmorep(["train", writeTinyConfig(out), "--out", join(out, "new")], undefined, env);
  expect(code).toBe(2);
  expect(stderr).toContain("MPI does not see the processes that were started");
});
