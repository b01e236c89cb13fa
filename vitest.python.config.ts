import { defineConfig } from "vitest/config";

/** Tests of our files in Python: `ATMOREP_TEST_PYTHON` names a Python with torch, zarr and xarray (default python3), `ATMOREP_TEST_PYTHON_ZARR3` one with zarr 3 if that has zarr 2, `ATMOREP_SRC` a checkout of the original, whose sampler then reads our stores (it needs torch, pandas and dask). */
export default defineConfig({
  test: {
    include: ["test/python/**/*.test.ts"],
    testTimeout: 120_000,
    pool: "forks",
    maxWorkers: 1,
  },
});
