import { describe, expect, it } from "vitest";
import { assertSameSize, launchOf, unusedTasks } from "../../src/distributed/launcher.js";

describe("launchOf", () => {
  it.each([
    [{}, null],
    [{ SLURM_NTASKS: "4" }, null],
    [{ SLURM_STEP_NUM_TASKS: "1" }, null],
    [
      { OMPI_COMM_WORLD_SIZE: "2", OMPI_COMM_WORLD_RANK: "1", SLURM_PROCID: "0" },
      { size: 2, rank: 1, variable: "OMPI_COMM_WORLD_SIZE" },
    ],
    [
      { PMI_SIZE: "3", PMI_RANK: "2" },
      { size: 3, rank: 2, variable: "PMI_SIZE" },
    ],
    [
      { SLURM_STEP_NUM_TASKS: "4", SLURM_PROCID: "3" },
      { size: 4, rank: 3, variable: "SLURM_STEP_NUM_TASKS" },
    ],
  ])("%j is %j", (env, expected) => {
    expect(launchOf(env as Record<string, string>)).toEqual(expected);
  });
});

it("a world of its own for every process is an error that names the interface", () => {
  const launch = { size: 2, rank: 0, variable: "SLURM_STEP_NUM_TASKS" };
  expect(() => assertSameSize(launch, 1, "mpich")).toThrow(/--mpi=pmi2/);
  expect(() => assertSameSize(launch, 1, "openmpi")).toThrow(/--mpi=pmix/);
  expect(() => assertSameSize(launch, 2, "openmpi")).not.toThrow();
});

it("tasks of a job that nothing uses are told, in the batch script and not under srun", () => {
  expect(unusedTasks({ SLURM_NTASKS: "2" })).toMatch(/2 tasks.*srun/);
  expect(unusedTasks({ SLURM_NTASKS: "2", SLURM_STEP_NUM_TASKS: "2" })).toBeNull();
  expect(unusedTasks({ SLURM_NTASKS: "2", OMPI_COMM_WORLD_SIZE: "2" })).toBeNull();
  expect(unusedTasks({ SLURM_NTASKS: "1" })).toBeNull();
  expect(unusedTasks({})).toBeNull();
});
