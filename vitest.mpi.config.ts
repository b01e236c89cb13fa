/** Tests with several processes: Open MPI's mpirun, MPICH's where it is installed too. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/mpi/**/*.slow.ts"],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    pool: "forks",
    maxWorkers: 1,
  },
});
