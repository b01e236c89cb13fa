/** Commands that keep what is done when they are stopped: the first signal ends the work, a second one the process. */
import { isAtmorepError } from "../errors.js";
import { note } from "./output.js";
import { stopOnSignals } from "./signals.js";

/**
 * Does `work`; if a signal stops it, says how to go on and has the program end with the signal's code. Work that was done
 * before it looked at the signal counts as done.
 * @returns null if it was stopped
 */
export async function stoppable<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T | null> {
  const stop = stopOnSignals(null);
  try {
    return await work(stop.signal);
  } catch (error) {
    const code = stop.exitCode();
    if (code === null || !isAtmorepError(error)) throw error;
    process.exitCode = code;
    note(error.message);
    return null;
  } finally {
    stop.release();
  }
}
