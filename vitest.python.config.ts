/** Tests that compare with Python's libraries; ATMOREP_TEST_PYTHON names an interpreter that has torch and zarr. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/python/**/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: "forks",
    maxWorkers: 1,
  },
});
