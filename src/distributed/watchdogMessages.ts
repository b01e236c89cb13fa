/** What a process and its watching thread say to each other. */

/** Numbers that the main thread writes and the other reads; `joined` is 0 until MPI has begun. */
export const SLOTS = { joined: 0, step: 1, at: 2 } as const;
export const PLACES = ["training", "validating", "evaluating", "building"] as const;
export type Place = (typeof PLACES)[number];
/** Those with steps. */
export const IN_STEPS: readonly string[] = ["training", "validating"] satisfies Place[];

export interface WatchdogSetup {
  /** one float64 a slot */
  slots: SharedArrayBuffer;
  silence: number;
  initLimit: number;
  host: string;
}

export type ToThread =
  | { type: "listen"; rank: number; token: string; local: boolean }
  | { type: "connect"; rank: number; token: string; addresses: string[]; port: number }
  | { type: "bye" }
  | { type: "kill"; after: number };

export type FromThread =
  | { type: "ready"; port: number }
  | { type: "failed"; why: string }
  | { type: "lost"; text: string };
