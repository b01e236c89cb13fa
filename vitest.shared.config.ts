/** Tests on the data beside the repository: `ATMOREP_SHARED` names the folder (default `../shared`). */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.shared.ts"],
    testTimeout: 120_000,
    pool: "forks",
    maxWorkers: 1,
  },
});
