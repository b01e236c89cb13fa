/**
 * What this machine offers to a run, and what to do about what is missing.
 *
 * @example
 * for (const check of await diagnose()) console.log(check.name, check.status, check.found);
 */
import { CHECKS } from "./checks.js";
import { type Host, thisHost } from "./host.js";

export type { Host } from "./host.js";
export { thisHost } from "./host.js";

/** `ok`: usable. `missing`: not there, something optional is unavailable. `problem`: runs will fail or suffer. */
export type CheckStatus = "ok" | "missing" | "problem";

export interface Check {
  name: string;
  status: CheckStatus;
  /** what was seen, for people */
  found: string;
  /** what to do, if something can be done */
  fix?: string;
  /** the same as `found`, for programs */
  values?: Record<string, unknown>;
}

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
