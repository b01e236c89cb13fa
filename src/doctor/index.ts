/**
 * What this machine offers to a run, and what to do about what is missing.
 *
 * @example
 * for (const check of await diagnose()) console.log(check.name, check.status, check.found);
 */
import type { Check } from "./check.js";
import { CHECKS } from "./checks.js";
import { type Host, thisHost } from "./host.js";

export type { Check, CheckStatus } from "./check.js";
export type { Host } from "./host.js";
export { thisHost } from "./host.js";

/** Runs every check; a check that throws is reported as a problem, never as an exception. */
export async function diagnose(host: Host = thisHost()): Promise<Check[]> {
  return Promise.all(
    Object.entries(CHECKS).map(async ([name, check]): Promise<Check> => {
      try {
        return { name, ...(await check(host)) };
      } catch (error) {
        return { name, status: "problem", found: error instanceof Error ? error.message : String(error) };
      }
    }),
  );
}
