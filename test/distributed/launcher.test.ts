import { describe, expect, it } from "vitest";
import { assertSameSize, launchOf } from "../../src/distributed/launcher.js";

describe("launchOf", () => {
  it.each([
    [{}, null],
    [{ SLURM_NTASKS: "4" }, null],
    [{ SLURM_STEP_NUM_TASKS: "1" }, null],
    [{ OMPI_COMM_WORLD_SIZE: "2" }, { size: 2, variable: "OMPI_COMM_WORLD_SIZE" }],
    [{ PMI_SIZE: "3" }, { size: 3, variable: "PMI_SIZE" }],
    [{ SLURM_STEP_NUM_TASKS: "4" }, { size: 4, variable: "SLURM_STEP_NUM_TASKS" }],
  ])("%j is %j", (env, expected) => {
    expect(launchOf(env as Record<string, string>)).toEqual(expected);
  });
});

it("a world of its own for every process is an error that names the interface", () => {
  const launch = { size: 2, variable: "SLURM_STEP_NUM_TASKS" };
  expect(() => assertSameSize(launch, 1, "mpich")).toThrow(/--mpi=pmi2/);
  expect(() => assertSameSize(launch, 1, "openmpi")).toThrow(/--mpi=pmix/);
  expect(() => assertSameSize(launch, 2, "openmpi")).not.toThrow();
});
