/** Tests of the native engine; they need its libraries: `atmorep engine install`, or ATMOREP_TENSORFLOW and ATMOREP_LLVM. */
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
