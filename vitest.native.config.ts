/** Tests of the native engine; they need TensorFlow's library: `atmorep engine install`, or ATMOREP_TENSORFLOW. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/native/**/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: "forks",
    maxWorkers: 1,
  },
});
