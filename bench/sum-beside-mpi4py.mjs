/**
 * The sum of gradients over processes beside mpi4py's Allreduce, in turn under the same launcher: milliseconds a sum and of
 * processor time a process, minimum and median over all rounds. Needs a build, and PYTHON, a Python with mpi4py and numpy.
 *   PYTHON=python3 node bench/sum-beside-mpi4py.mjs [RANKS] [MILLIONS] [ROUNDS] [--mpich] [--json]
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const TIMES = 5;
const SELF = fileURLToPath(import.meta.url);

const PYTHON = `
import sys, time, json
import numpy as np
from mpi4py import MPI
comm = MPI.COMM_WORLD
values, total = np.ones(int(sys.argv[1]), "f4"), np.zeros(int(sys.argv[1]), "f4")
found = []
for k in range(${TIMES + 1}):
    comm.Barrier()
    wall, used = time.perf_counter(), time.process_time()
    comm.Allreduce(values, total)
    found.append([1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - used)])
assert total[0] == comm.size and total[-1] == comm.size
if comm.rank == 0: print(json.dumps(found[1:]))
`;

/** Ours, in one of several processes: `--ours LENGTH tree|fast`. */
async function ours(length, reduction) {
  const { equalParts, openCommunicator } = await import("../dist/distributed/index.js");
  const communicator = await openCommunicator();
  const { rank, size } = communicator;
  const values = new Float32Array(new ArrayBuffer(4 * length));
  const found = [];
  for (let k = 0; k <= TIMES; k++) {
    values.fill(1);
    await communicator.gather(null);
    const [wall, used] = [performance.now(), process.cpuUsage()];
    if (reduction === "fast") await communicator.sumFast(values);
    else await communicator.sum([values], { batches: 1, ends: equalParts(length, size), whole: true });
    const { user, system } = process.cpuUsage(used);
    found.push([performance.now() - wall, (user + system) / 1000]);
    if (values[0] !== size || values[length - 1] !== size) throw new Error("the sum is wrong");
  }
  if (rank === 0) console.log(JSON.stringify(found.slice(1)));
  await communicator.close();
  process.exit();
}

function main() {
  const [ranks = 2, millions = 25, rounds = 3] = process.argv
    .slice(2)
    .filter((arg) => !arg.startsWith("-"))
    .map(Number);
  const mpich = process.argv.includes("--mpich");
  const launcher = mpich ? ["mpirun.mpich"] : ["mpirun.openmpi", "--bind-to", "none", "--oversubscribe"];
  const env = { ...process.env, OMPI_ALLOW_RUN_AS_ROOT: "1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1" };
  // where Debian names it after itself, mpi4py looks for the name of the common binary interface
  const folder = mkdtempSync(join(tmpdir(), "atmorep-bench-"));
  if (mpich) {
    symlinkSync("/usr/lib/x86_64-linux-gnu/libmpich.so.12", join(folder, "libmpi.so.12"));
    env.LD_LIBRARY_PATH = `${folder}:${env.LD_LIBRARY_PATH ?? ""}`;
    env.MPI4PY_MPIABI = "mpich";
  }
  const length = Math.round(millions * 1e6);
  const [program, ...flags] = [...launcher, "-n", String(ranks)];
  const run = (...command) =>
    JSON.parse(
      execFileSync(program, [...flags, ...command], { env, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }),
    );
  const sides = {
    mpi4py: () => run(process.env.PYTHON ?? "python3", "-c", PYTHON, String(length)),
    tree: () => run(process.execPath, SELF, "--ours", String(length), "tree"),
    fast: () => run(process.execPath, SELF, "--ours", String(length), "fast"),
  };
  const found = Object.fromEntries(Object.keys(sides).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++)
    for (const [name, side] of Object.entries(sides)) found[name].push(...side());
  rmSync(folder, { recursive: true });
  const number = (list, k) => {
    const sorted = list.map((pair) => pair[k]).toSorted((a, b) => a - b);
    return { min: sorted[0], median: sorted[sorted.length >> 1] };
  };
  const table = Object.fromEntries(
    Object.entries(found).map(([name, list]) => [name, { wall: number(list, 0), processor: number(list, 1) }]),
  );
  if (process.argv.includes("--json"))
    return console.log(JSON.stringify({ ranks, millions, launcher: program, ...table }));
  console.log(`${millions} million float32 over ${ranks} processes, ${program}: ms, minimum / median`);
  const shown = ({ min, median }) => `${min.toFixed(0)} / ${median.toFixed(0)}`;
  for (const [name, { wall, processor }] of Object.entries(table)) {
    console.log(`${name.padEnd(8)} ${shown(wall).padEnd(12)} processor ${shown(processor)}`);
  }
}

const [flag, length, reduction] = process.argv.slice(2);
if (flag === "--ours") await ours(Number(length), reduction);
else main();
