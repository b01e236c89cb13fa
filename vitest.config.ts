/**
 * All tests, one project a kind of machine or data that they need: `npm test` runs `unit`, which needs nothing but Node,
 * `vitest run --project NAME` another one.
 */
import { defineConfig } from "vitest/config";

interface Kind {
  include: string[];
  exclude?: string[];
  /** milliseconds that a test may take */
  timeout: number;
  /** and what sets it up; as a test unless given */
  hookTimeout?: number;
  /** files run at a time; 1 unless given */
  workers?: number;
}

const KINDS: Record<string, Kind> = {
  unit: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/python/**", "test/native/**", "test/jupyter/**", "test/lab/**"],
    timeout: 60_000,
    workers: 2,
  },
  /** The native engine, which needs its libraries: `atmorep engine install`, or ATMOREP_TENSORFLOW and ATMOREP_LLVM. */
  native: { include: ["test/native/**/*.test.ts"], timeout: 120_000 },
  /**
   * Our files in Python: ATMOREP_TEST_PYTHON names a Python with torch, zarr and xarray (default python3),
   * ATMOREP_TEST_PYTHON_ZARR3 one with zarr 3 if that has zarr 2, with eccodes and cfgrib for GRIB, and icechunk; ATMOREP_TEST_PYTHON_TRACKERS one with tensorboard,
   * wandb 0.19 and mlflow; ATMOREP_ICECHUNK the
   * folder where `@earthmover/icechunk` is installed, ATMOREP_SRC a checkout of the original, whose sampler then reads our stores (it needs
   * torch, pandas and dask).
   */
  python: { include: ["test/python/**/*.test.ts"], timeout: 120_000, workers: 2 },
  /** Through Jupyter: ATMOREP_TEST_PYTHON names a Python with jupyterlab, nbclient, ipykernel 7, jupyter-kernel-test 0.7. */
  jupyter: { include: ["test/jupyter/**/*.test.ts"], timeout: 600_000 },
  /**
   * The notebook in a real JupyterLab, in headless Chromium. ATMOREP_TEST_JUPYTER names a Python with the packages of
   * assets/lab/requirements.txt, else the environment of `atmorep lab` is used (and made); ATMOREP_TEST_CHROMIUM a browser,
   * else /usr/bin/chromium.
   */
  lab: { include: ["test/lab/**/*.test.ts"], timeout: 240_000, hookTimeout: 300_000 },
  /** Several processes: Open MPI's mpirun, MPICH's where it is installed too. */
  mpi: { include: ["test/mpi/**/*.slow.ts"], timeout: 600_000, workers: 2 },
  /** Faults of the system at every operation, and random lives of runs: gcc, Linux and Open MPI's mpirun. */
  reliability: { include: ["test/reliability/*.slow.ts"], timeout: 24 * 3600_000, hookTimeout: 300_000 },
  /** The package as users get it; they install it and take minutes. */
  package: { include: ["test/package/**/*.slow.ts"], timeout: 600_000 },
  /** The guides followed and the site built and visited: a network the first time, Chromium (ATMOREP_TEST_CHROMIUM). Minutes. */
  docs: { include: ["test/docs/**/*.slow.ts"], timeout: 1800_000 },
  /** On the data beside the repository: ATMOREP_SHARED names the folder (default `../shared`). */
  shared: { include: ["test/**/*.shared.ts"], timeout: 120_000 },
};

export default defineConfig({
  test: {
    projects: Object.entries(KINDS).map(
      ([name, { include, exclude = [], timeout, hookTimeout = timeout, workers = 1 }]) => ({
        test: {
          name,
          include,
          exclude,
          testTimeout: timeout,
          hookTimeout,
          pool: "forks",
          // what test servers send is nobody's to keep
          env: { ATMOREP_HTTP_CACHE: "off" },
          maxWorkers: workers,
          // Projects with different numbers of workers never run at once.
          sequence: { groupOrder: workers },
        },
      }),
    ),
  },
});
