/** Why a run stops before its last epoch. */
import type { FinishReason } from "../runs/events.js";
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
