/** How many threads compute, as the user asks for it. */
import { availableParallelism } from "node:os";
import { AtmorepError } from "../errors.js";

const VARIABLE = "ATMOREP_THREADS";
const MOST = 1024;

/** Cores that this process may use; where Slurm does not bind its tasks it only tells them how many are theirs. */
export function ownCores(env: Readonly<Record<string, string | undefined>> = process.env): number {
  const given = Number(env.SLURM_CPUS_PER_TASK ?? env.SLURM_CPUS_ON_NODE);
  return given >= 1 ? Math.min(availableParallelism(), given) : availableParallelism();
}

/**
 * What the environment asks for, else as many as the process may use.
 * @param share of several processes on one machine
 * @throws AtmorepError `usage` if it is not a number of threads
 */
export function askedThreads(env: Readonly<Record<string, string | undefined>> = process.env, share?: number): number {
  const text = env[VARIABLE];
  if (!text) return share ?? ownCores(env);
  const threads = Number(text);
  if (!Number.isInteger(threads) || threads < 1 || threads > MOST) {
    throw new AtmorepError("usage", "not a number of threads", {
      where: VARIABLE,
      found: text,
      expected: `a whole number from 1 to ${MOST}`,
    });
  }
  return threads;
}
