import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Need a Python with torch, TensorFlow's library, Jupyter: vitest.{python,native,jupyter,lab}.config.ts.
    exclude: ["test/python/**", "test/native/**", "test/jupyter/**", "test/lab/**"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: "forks",
    maxWorkers: 2,
  },
});
