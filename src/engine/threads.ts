/** How many threads compute, as the user asks for it. */
import { availableParallelism } from "node:os";
import { AtmorepError } from "../errors.js";

const VARIABLE = "ATMOREP_THREADS";
const MOST = 1024;

/**
 * What the environment asks for, else as many as the process may use.
 * @throws AtmorepError `usage` if it is not a number of threads
 */
export function askedThreads(env: Readonly<Record<string, string | undefined>> = process.env): number {
  const text = env[VARIABLE];
  if (!text) return availableParallelism();
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
