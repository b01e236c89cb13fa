/**
 * The notebook in a real JupyterLab, in headless Chromium. ATMOREP_TEST_JUPYTER names a Python with the packages of
 * assets/lab/requirements.txt, else the environment of `atmorep lab` is used (and made); ATMOREP_TEST_CHROMIUM a browser,
 * else /usr/bin/chromium.
 */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/lab/**/*.test.ts"],
    testTimeout: 240_000,
    hookTimeout: 300_000,
    pool: "forks",
    maxWorkers: 1,
  },
});
