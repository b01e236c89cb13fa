/** One function a check; the table gives their order and names. */

import type { Outcome } from "./check.js";
import { engineCheck } from "./engine.js";
import type { Host } from "./host.js";
import { cpuFeatures, formatBytes, jupyterKernels, mpiPlugins } from "./parse.js";

type CheckFunction = (host: Host) => Promise<Outcome>;

/** bytes below which a short run may not find room for its checkpoints and results */
const LITTLE_DISK = 2 * 2 ** 30;
/** bytes below which the default run may be killed */
const LITTLE_MEMORY = 1.5 * 2 ** 30;

export const CHECKS: Readonly<Record<string, CheckFunction>> = {
  node: checkNode,
  engine: engineCheck,
  threads: checkThreads,
  cpu: checkCpu,
  gpu: checkGpu,
  jupyter: checkJupyter,
  mpi: checkMpi,
  slurm: checkSlurm,
  disk: checkDisk,
  memory: checkMemory,
};

async function checkNode({ nodeVersion, platform, arch }: Host): Promise<Outcome> {
  const [major, minor] = nodeVersion.split(".").map(Number);
  const enough = major > 20 || (major === 20 && minor >= 19);
  return {
    status: enough ? "ok" : "problem",
    found: `Node ${nodeVersion} on ${platform} ${arch}`,
    fix: enough ? undefined : "Install Node 20.19 or newer from https://nodejs.org.",
    values: { version: nodeVersion, platform, arch },
  };
}

async function checkThreads({ threads, env }: Host): Promise<Outcome> {
  const asked = env.OMP_NUM_THREADS;
  return {
    status: "ok",
    found: `${threads} available to this process${asked ? `, OMP_NUM_THREADS=${asked}` : ""}`,
    values: { available: threads, ompNumThreads: asked ?? null },
  };
}

async function checkCpu(host: Host): Promise<Outcome> {
  const text = await host.readText("/proc/cpuinfo");
  if (text === null) return { status: "missing", found: "the processor's features cannot be read on this system" };
  const { model, features } = cpuFeatures(text);
  return {
    status: "ok",
    found: `${model || "processor"}; ${features.length > 0 ? features.join(" ") : "no wide vector units named"}`,
    values: { model, features },
  };
}

async function checkGpu(host: Host): Promise<Outcome> {
  const listing = await host.run("nvidia-smi", [
    "--query-gpu=name,driver_version,memory.total",
    "--format=csv,noheader",
  ]);
  if (listing?.trim()) {
    const gpus = listing.trim().split("\n");
    return {
      status: "missing",
      found: `seen: ${gpus.join("; ")}; the line "engine" says what is used`,
      fix: "A GPU needs the native engine with NVIDIA's libraries: npx atmorep engine install --gpu",
      values: { gpus },
    };
  }
  const driver = await host.readText("/proc/driver/nvidia/version");
  return {
    status: "missing",
    found: driver ? "an NVIDIA driver is loaded, but nvidia-smi does not answer" : "none seen: no NVIDIA driver here",
    fix: driver
      ? "Check nvidia-smi; in a container start it with the GPU passed through."
      : "Nothing to do: runs compute on the processor.",
    values: { gpus: [], driver: driver !== null },
  };
}

async function checkJupyter(host: Host): Promise<Outcome> {
  const listing = await host.run("jupyter", ["kernelspec", "list", "--json"]);
  if (listing === null) {
    return {
      status: "missing",
      found: "no JupyterLab on the path; atmorep lab has one of its own",
      fix: "Nothing to do: npx atmorep lab makes an environment with Jupyter at its first use. For a Jupyter of your own: npx atmorep kernel install",
      values: { kernels: [] },
    };
  }
  const kernels = jupyterKernels(listing);
  const ours = kernels.includes("atmorep");
  return {
    status: ours ? "ok" : "missing",
    found: ours
      ? "JupyterLab with the atmorep kernel"
      : `JupyterLab, kernels ${kernels.join(", ") || "none"}; not ours`,
    values: { kernels },
  };
}

async function checkMpi(host: Host): Promise<Outcome> {
  const version = await host.run("mpirun", ["--version"], true);
  if (version === null) {
    return {
      status: "missing",
      found: "mpirun is not on the path",
      fix: "Only runs of several processes need it. Debian: apt-get install openmpi-bin",
    };
  }
  const first = version.trim().split("\n")[0];
  const named = host.env.ATMOREP_MPI;
  const libraries = host.mpiLibraries(named ? [named] : undefined);
  const status = named && libraries.length === 0 ? "problem" : libraries.length === 0 ? "missing" : "ok";
  return {
    status,
    found: `${first}; ${libraries.length === 0 ? `no library can be loaded${named ? `, ATMOREP_MPI=${named}` : ""}` : `libraries ${libraries.join(", ")}`}`,
    fix: status === "ok" ? undefined : "Name the library of your launcher: ATMOREP_MPI=/path/libmpi.so.40",
    values: { version: first, libraries },
  };
}

async function checkSlurm(host: Host): Promise<Outcome> {
  const version = await host.run("sinfo", ["--version"]);
  if (version === null) {
    return {
      status: "missing",
      found: "not here",
      fix: "Only clusters have it: there, submit scripts/slurm/train.sbatch.",
      values: { version: null, job: host.env.SLURM_JOB_ID ?? null },
    };
  }
  const plugins = mpiPlugins((await host.run("srun", ["--mpi=list"], true)) ?? "");
  const job = host.env.SLURM_JOB_ID;
  const addresses = ((await host.run("sinfo", ["--noheader", "--Node", "--format=%o %N"])) ?? "").trim().split("\n");
  const virtual = new Set(addresses).size > new Set(addresses.map((line) => line.split(" ")[0])).size;
  const untold = virtual && host.env.OMPI_MCA_btl === undefined;
  return {
    status: untold ? "problem" : "ok",
    found: `${version.trim()}; srun --mpi: ${plugins.join(", ") || "unknown"}${job ? `; inside job ${job}` : ""}${virtual ? "; several nodes are one machine" : ""}`,
    fix: untold
      ? "Open MPI finds no way between nodes of one machine by itself: export OMPI_MCA_btl=tcp,self"
      : undefined,
    values: { version: version.trim(), mpi: plugins, job: job ?? null },
  };
}

async function checkDisk(host: Host): Promise<Outcome> {
  const free = await host.freeDisk(host.cwd);
  if (free === null) return { status: "missing", found: "free space unknown" };
  const little = free < LITTLE_DISK;
  return {
    status: little ? "problem" : "ok",
    found: `${formatBytes(free)} free in ${host.cwd}`,
    fix: little ? "Free some space, or write elsewhere with --out DIR." : undefined,
    values: { free },
  };
}

async function checkMemory(host: Host): Promise<Outcome> {
  const text = await host.readText("/proc/meminfo");
  // Memory that the kernel can take back at once counts as free; os.freemem leaves it out.
  const available = Number(/MemAvailable:\s+(\d+) kB/.exec(text ?? "")?.[1] ?? Number.NaN) * 1024;
  const free = Number.isNaN(available) ? host.memory.free : available;
  const little = free < LITTLE_MEMORY;
  return {
    status: little ? "problem" : "ok",
    found: `${formatBytes(free)} free of ${formatBytes(host.memory.total)}`,
    fix: little
      ? "Close other programs, or choose a smaller configuration (train --dry-run tells what it needs)."
      : undefined,
    values: { free, total: host.memory.total },
  };
}
