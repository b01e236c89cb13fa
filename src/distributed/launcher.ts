/** How this process was started: alone, or as one of several by mpirun or srun. */
import { AtmorepError } from "../errors.js";

export interface Launch {
  /** number of processes that the launcher says it started */
  size: number;
  /** the variable that says so */
  variable: string;
}

/** mpirun of Open MPI, mpiexec of MPICH (Hydra), srun; an allocation without srun is one process. */
const SIZES = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"];

/** The launch of several processes that this one belongs to, or null. */
export function launchOf(env: Readonly<Record<string, string | undefined>> = process.env): Launch | null {
  for (const variable of SIZES) {
    const size = Number(env[variable] ?? 1);
    if (size > 1) return { size, variable };
  }
  return null;
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
