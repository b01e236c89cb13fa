/** How this process was started: alone, or as one of several by mpirun or srun. */
import { AtmorepError } from "../errors.js";

export interface Launch {
  /** number of processes that the launcher says it started */
  size: number;
  /** number of this one, from 0 */
  rank: number;
  /** the variable that says so */
  variable: string;
}

/** mpirun of Open MPI, mpiexec of MPICH (Hydra), srun; an allocation without srun is one process. */
const VARIABLES = [
  ["OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"],
  ["PMI_SIZE", "PMI_RANK"],
  ["SLURM_STEP_NUM_TASKS", "SLURM_PROCID"],
];

/** The launch of several processes that this one belongs to, or null. */
export function launchOf(env: Readonly<Record<string, string | undefined>> = process.env): Launch | null {
  for (const [variable, rank] of VARIABLES) {
    const size = Number(env[variable] ?? 1);
    if (size > 1) return { size, rank: Number(env[rank] ?? 0), variable };
  }
  return null;
}

/**
 * What to say where Slurm has given a job several tasks and started this process alone, in the batch script itself; null
 * where it has not.
 */
export function unusedTasks(env: Readonly<Record<string, string | undefined>> = process.env): string | null {
  const tasks = Number(env.SLURM_NTASKS ?? 1);
  if (launchOf(env) || !(tasks > 1) || env.SLURM_STEP_NUM_TASKS !== undefined) return null;
  return `the job has ${tasks} tasks and this process trains alone: start it with srun (scripts/slurm/train.sbatch does)`;
}

/**
 * With the wrong process manager interface every process is a world of its own, without an error.
 * @throws AtmorepError (usage) if MPI sees another number of processes than were started
 */
export function assertSameSize(launch: Launch, size: number, flavour: string): void {
  if (size === launch.size) return;
  throw new AtmorepError("usage", "MPI does not see the processes that were started", {
    where: launch.variable,
    found: `${size} in MPI's world`,
    expected: `${launch.size}`,
    fix:
      flavour === "mpich"
        ? "Start MPICH's library with srun --mpi=pmi2 or mpirun.mpich."
        : "Start Open MPI's library with srun --mpi=pmix or mpirun.openmpi.",
  });
}
