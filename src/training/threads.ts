/** How many threads each of several processes computes with. */
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import type { Communicator } from "../distributed/index.js";
import { ownCores } from "../engine/index.js";

/** Where a process may run, and how many cores that is. */
export interface Place {
  host: string;
  /** the cores, as Linux lists them */
  bound: string;
  cores: number;
  /** they are its own, whatever the others may run on: srun has counted them out */
  own: boolean;
}

/**
 * Cores are shared by the processes that may run on the same ones; launchers that bind each to its own leave it those.
 * @returns as many for every process, since the sums that they share must be those of one; undefined for one process
 */
export async function threadsOfEach(communicator: Communicator): Promise<number | undefined> {
  if (communicator.size === 1) return undefined;
  const { SLURM_CPUS_PER_TASK: counted, SLURM_STEP_NUM_TASKS: tasks } = process.env;
  const own = counted !== undefined && Number(tasks) === communicator.size;
  return fairThreads(await communicator.gather<Place>({ host: hostname(), bound: boundTo(), cores: ownCores(), own }));
}

export function fairThreads(places: readonly Place[]): number {
  const share = ({ host, bound, cores, own }: Place) => {
    const together = places.filter((other) => other.host === host && other.bound === bound).length;
    return own ? cores : Math.floor(cores / together);
  };
  return Math.max(1, Math.min(...places.map(share)));
}

function boundTo(): string {
  try {
    return /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "";
  } catch {
    return "";
  }
}
