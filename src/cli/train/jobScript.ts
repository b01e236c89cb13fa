/** The script of a job of Slurm, around `scripts/slurm/train.sbatch` of this package. */
import { fileURLToPath } from "node:url";
import { quoted } from "./suggestions.js";

export interface Job {
  runId: string;
  nodes: number;
  tasks: number;
  /** cores of each task */
  cpus: number;
  /** jobs one after the other */
  chain: number;
  memory?: string;
  time?: string;
  /** of srun */
  mpi: string;
}

const TRAIN = fileURLToPath(new URL("../../../scripts/slurm/train.sbatch", import.meta.url));

/** @param given arguments of `atmorep train`, as a shell takes them */
export function jobScript({ runId, nodes, tasks, cpus, chain, memory, time, mpi }: Job, given: string): string {
  const asked = [
    ["job-name", `train_${runId}`],
    ["output", "logs/atmorep-%x.%j.out"],
    ["error", "logs/atmorep-%x.%j.err"],
    ["open-mode", "append"],
    ["nodes", nodes],
    ["ntasks", tasks],
    ["cpus-per-task", cpus],
    ...(memory === undefined ? [] : [["mem", memory]]),
    ...(time === undefined ? [] : [["time", time]]),
    ["signal", "B:USR1@120"],
  ];
  return `${[
    "#!/bin/bash",
    "# Written by atmorep slurm; what it does at its limit of time and when it is requeued stands in the script that it calls.",
    ...asked.map(([name, value]) => `#SBATCH --${name}=${value}`),
    "#SBATCH --requeue",
    // the next of a chain goes on; it would wait for one that queues itself again
    ...(chain > 1 ? ["export ATMOREP_REQUEUE=0"] : []),
    ...(tasks > 1 ? [`export ATMOREP_SRUN_MPI=${mpi}`] : []),
    `exec bash ${quoted(TRAIN)} ${given}${given === "" ? "" : " "}--run-id ${runId} --resume`,
  ].join("\n")}\n`;
}

/** What to type to submit it. @param path as a shell takes it */
export function submission({ chain }: Job, path: string): string {
  if (chain === 1) return `sbatch ${path}`;
  return `JOB=$(sbatch --parsable ${path}); for K in $(seq 2 ${chain}); do JOB=$(sbatch --parsable --dependency=afterany:$JOB ${path}); done`;
}
