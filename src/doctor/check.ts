/** What a check reports. */

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

/** What a check finds; the table of checks gives its name. */
export type Outcome = Omit<Check, "name">;
