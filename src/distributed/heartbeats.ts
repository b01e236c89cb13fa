/** What the processes of a run tell each other of themselves while they compute, and who has fallen silent. Times in milliseconds. */
import { IN_STEPS } from "./watchdogMessages.js";

/** What a process says of itself in each heartbeat. */
export interface Heartbeat {
  rank: number;
  host: string;
  pid: number;
  /** optimiser steps done */
  step: number;
  /** what it is at: `training`, `validating` */
  at: string;
}

/** Last words of each process that were heard, by a clock of the listener. */
export class Heartbeats {
  private readonly heard = new Map<number, { beat: Heartbeat; at: number }>();
  private lastLook: number;

  /** @param silence after so long without a word a process counts as lost */
  constructor(
    private readonly silence: number,
    now: number,
  ) {
    this.lastLook = now;
  }

  hear(beat: Heartbeat, now: number): void {
    this.heard.set(beat.rank, { beat, at: now });
  }

  /** Who has ended in order is missed no more. */
  forget(rank: number): void {
    this.heard.delete(rank);
  }

  last(rank: number): Heartbeat | undefined {
    return this.heard.get(rank)?.beat;
  }

  /**
   * Called more often than `silence`. Whoever has slept himself, as a suspended job does, gives the others time anew.
   * @returns the process that has been silent longest, if for too long, or null
   */
  lost(now: number): Heartbeat | null {
    const slept = now - this.lastLook > this.silence / 2;
    this.lastLook = now;
    if (slept) for (const entry of this.heard.values()) entry.at = now;
    const [first] = [...this.heard.values()].filter(({ at }) => now - at > this.silence).sort((a, b) => a.at - b.at);
    return first?.beat ?? null;
  }
}

/** One line for the log, such as `process 3 (nodeB, pid 812) silent for 30 s in step 813, training`; nobody but training has steps. */
export function lostText({ rank, host, pid, step, at }: Heartbeat, why: string): string {
  return `process ${rank} (${host}, pid ${pid}) ${why}${IN_STEPS.includes(at) ? ` in step ${step + 1}` : ""}, ${at}`;
}

const FIELDS = ["rank", "pid", "step"] as const;

/** @returns null for anything but a heartbeat: whoever finds the port may write to it */
export function parseHeartbeat(line: string): Heartbeat | null {
  try {
    const value = JSON.parse(line) as Heartbeat;
    if (typeof value !== "object" || value === null) return null;
    const numbers = FIELDS.every((key) => Number.isFinite(value[key]));
    const texts = [value.host, value.at].every((text) => typeof text === "string" && /^[\w.-]{1,255}$/.test(text));
    return numbers && texts ? value : null;
  } catch {
    return null;
  }
}
