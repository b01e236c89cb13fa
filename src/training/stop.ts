/** Why a run stops before its last epoch. */
import { AtmorepError } from "../errors.js";
import type { FinishReason } from "../runs/events.js";
import type { TrainOptions } from "./options.js";
import type { Session } from "./session.js";

export function reachedMaxSteps({ options: { maxSteps }, progress }: Pick<Session, "options" | "progress">): boolean {
  return maxSteps !== undefined && progress.step >= maxSteps;
}

/** From the weakest to the strongest: a signal to one process stops all of them. */
const REASONS = [null, "max-time", "max-steps", "interrupted"] as const;

/** The same in every process; null to go on. */
export async function stopReason({ options, progress, communicator, began }: Session): Promise<FinishReason | null> {
  const own = (): (typeof REASONS)[number] => {
    if (options.signal?.aborted) return "interrupted";
    if (reachedMaxSteps({ options, progress })) return "max-steps";
    if (options.maxTime !== undefined && Date.now() - began >= options.maxTime) return "max-time";
    return null;
  };
  const all = await communicator.gather(own());
  return REASONS[Math.max(...all.map((reason) => REASONS.indexOf(reason)))];
}

/** So long after a signal a run still waits for data: a server that is away is waited for for minutes. */
const GRACE_MS = 2_000;
const STOPPED = Symbol("stopped");

/**
 * What is waited for, or null if a signal came and it still is not there after 2 s. One of several processes waits:
 * the others would wait for it.
 */
export async function unlessStopped<T extends NonNullable<unknown>>(
  wanted: Promise<T>,
  { signal, communicator }: Pick<TrainOptions, "signal" | "communicator">,
): Promise<T | null> {
  if (!signal || (communicator?.size ?? 1) > 1) return wanted;
  let end = () => {};
  const stopped = new Promise<typeof STOPPED>((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    const start = () => {
      timer = setTimeout(resolve, GRACE_MS, STOPPED);
    };
    if (signal.aborted) start();
    else signal.addEventListener("abort", start);
    end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", start);
    };
  });
  try {
    const first = await Promise.race([wanted, stopped]);
    if (first !== STOPPED) return first;
    // nobody waits for it any more
    wanted.catch(() => {});
    return null;
  } finally {
    end();
  }
}

/** The run was stopped while it opened its data: there is nothing to save, and nothing was written. */
export class StoppedEarly extends AtmorepError {
  constructor() {
    super("failed", "stopped while the data were opened", { fix: "Nothing was written" });
  }
}
