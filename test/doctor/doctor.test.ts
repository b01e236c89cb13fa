import { expect, it } from "vitest";
import { noGpu } from "../../src/doctor/engine.js";
import { diagnose, type Host, thisHost } from "../../src/doctor/index.js";
import { cpuFeatures, formatBytes, jupyterKernels, mpiPlugins } from "../../src/doctor/parse.js";

/** A machine on which nothing optional is installed and only the given programs and files exist. */
function machine(programs: Record<string, string>, files: Record<string, string> = {}, rest: Partial<Host> = {}): Host {
  return {
    nodeVersion: "20.19.0",
    platform: "linux",
    arch: "x64",
    env: {},
    cwd: "/somewhere",
    threads: 2,
    memory: { free: 8e9, total: 16e9 },
    run: async (program) => programs[program] ?? null,
    mpiLibraries: (names = ["libmpi.so.40"]) => names.filter((name) => name === "libmpi.so.40"),
    readText: async (path) => files[path] ?? null,
    freeDisk: async () => 100e9,
    ...rest,
  };
}

const find = async (host: Host, name: string) => (await diagnose(host)).find((check) => check.name === name);

it("covers everything that a run may need, on this machine too", async () => {
  const checks = await diagnose(thisHost());
  expect(checks.map(({ name }) => name)).toEqual([
    "node",
    "engine",
    "threads",
    "cpu",
    "gpu",
    "jupyter",
    "mpi",
    "slurm",
    "disk",
    "memory",
  ]);
  expect(checks.find(({ name }) => name === "engine")).toMatchObject({
    status: "ok",
    values: { name: expect.stringMatching(/^(native|wasm)$/) },
  });
});

it("says what to do about everything that is missing", async () => {
  const checks = await diagnose(machine({}));
  for (const check of checks.filter(({ status, name }) => status !== "ok" && name !== "cpu")) {
    expect(check.fix, check.name).toMatch(/\w/);
  }
  expect(checks.filter(({ status }) => status === "problem")).toEqual([]);
});

it("calls an old Node, a full disk and little memory problems", async () => {
  const host = machine(
    {},
    {},
    { nodeVersion: "20.18.1", freeDisk: async () => 1e6, memory: { free: 1e8, total: 1e9 } },
  );
  const problems = (await diagnose(host)).filter(({ status }) => status === "problem");
  expect(problems.map(({ name }) => name)).toEqual(["node", "disk", "memory"]);
});

it("prefers the memory that can be reclaimed over the memory that is untouched", async () => {
  const files = { "/proc/meminfo": "MemTotal: 16000000 kB\nMemAvailable:    4194304 kB\n" };
  expect(await find(machine({}, files, { memory: { free: 1, total: 16e9 } }), "memory")).toMatchObject({
    status: "ok",
    values: { free: 4 * 2 ** 30 },
  });
});

it("tells a GPU that is seen from a driver that does not answer and from none", async () => {
  const gpu = await find(machine({ "nvidia-smi": "NVIDIA H200, 550.1, 143771 MiB\n" }), "gpu");
  expect(gpu).toMatchObject({ values: { gpus: ["NVIDIA H200, 550.1, 143771 MiB"] } });
  expect((await find(machine({}, { "/proc/driver/nvidia/version": "NVRM" }), "gpu"))?.found).toContain(
    "driver is loaded",
  );
  expect((await find(machine({}), "gpu"))?.found).toContain("none seen");
});

it("names the kernels and the MPI plugins it finds", async () => {
  const programs = {
    jupyter: '{"kernelspecs":{"python3":{},"atmorep":{}}}',
    mpirun: "mpirun (Open MPI) 4.1.4\n\nReport bugs to",
    sinfo: "slurm-wlm 22.05.8\n",
    srun: "MPI plugin types are...\n\tnone\n\tpmi2\n\tpmix\n",
  };
  const host = machine(programs, {}, { env: { SLURM_JOB_ID: "17" } });
  expect(await find(host, "jupyter")).toMatchObject({ status: "ok", values: { kernels: ["atmorep", "python3"] } });
  expect(await find(host, "mpi")).toMatchObject({
    status: "ok",
    found: "mpirun (Open MPI) 4.1.4; libraries libmpi.so.40",
  });
  expect(await find(host, "slurm")).toMatchObject({ values: { mpi: ["none", "pmi2", "pmix"], job: "17" } });
});

it("says that a library named by ATMOREP_MPI is not there, and that nodes of one machine need TCP", async () => {
  const programs = { mpirun: "mpirun (Open MPI) 4.1.4\n", sinfo: "127.0.0.1 node1\n127.0.0.1 node2\n" };
  const named = machine(programs, {}, { env: { ATMOREP_MPI: "libother.so" } });
  expect(await find(named, "mpi")).toMatchObject({
    status: "problem",
    found: "mpirun (Open MPI) 4.1.4; no library can be loaded, ATMOREP_MPI=libother.so",
  });
  expect(await find(machine(programs), "slurm")).toMatchObject({
    status: "problem",
    fix: expect.stringContaining("OMPI_MCA_btl=tcp,self"),
  });
  const told = machine(programs, {}, { env: { OMPI_MCA_btl: "tcp,self" } });
  expect(await find(told, "slurm")).toMatchObject({ status: "ok" });
});

it("reports a check that throws instead of failing", async () => {
  const host = machine({}, {}, { freeDisk: async () => Promise.reject(new Error("no such device")) });
  expect(await find(host, "disk")).toEqual({ name: "disk", status: "problem", found: "no such device" });
});

it("reads processor features of x86 and ARM", () => {
  expect(cpuFeatures("model name\t: Some CPU\nflags\t\t: fpu avx2 fma avx512f\n")).toEqual({
    model: "Some CPU",
    features: ["avx2", "fma", "avx512f"],
  });
  expect(cpuFeatures("Features\t: fp asimd sve\n").features).toEqual(["asimd", "sve"]);
});

it("survives broken output of other programs", () => {
  expect(jupyterKernels("not json")).toEqual([]);
  expect(mpiPlugins("")).toEqual([]);
  expect([formatBytes(0), formatBytes(1536), formatBytes(3 * 2 ** 30)]).toEqual(["0 B", "1.5 KiB", "3.0 GiB"]);
});

it("says why no GPU is used", () => {
  expect(noGpu(true, false, {}).reason).toBe("no NVIDIA driver here");
  expect(noGpu(false, true, {})).toMatchObject({ fix: expect.stringContaining("engine install --gpu") });
  expect(noGpu(true, true, { CUDA_VISIBLE_DEVICES: "-1" }).reason).toContain("hidden by CUDA_VISIBLE_DEVICES");
  expect(noGpu(true, true, {})).toMatchObject({
    reason: expect.stringContaining("TensorFlow sees none"),
    fix: expect.stringContaining("TF_CPP_MIN_LOG_LEVEL=0"),
  });
});
