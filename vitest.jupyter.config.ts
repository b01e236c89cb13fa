/** Tests through Jupyter: ATMOREP_TEST_PYTHON names a Python with jupyterlab, nbclient, ipykernel 7 and jupyter-kernel-test 0.7. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/jupyter/**/*.test.ts"],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    pool: "forks",
    maxWorkers: 1,
  },
});
