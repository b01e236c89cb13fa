/** Waiting for another process without a core: looked at without a pause for a short while, then less and less often. */

/** Milliseconds without a pause, where an answer is due at once. */
const SHORT_MS = 2;
/** The same for data on their way between processes that are all there. */
export const TRANSFER_MS = 50;
/** Longest pause; a pause is an eighth of what was waited before, so that it prolongs no wait by more. */
const LONGEST_PAUSE_MS = 10;
/** After so long the event loop has its turn: signals, timers. */
const TURN_MS = 1;

/** @param spin milliseconds of looking without a pause */
export async function until(done: () => boolean, spin = SHORT_MS): Promise<void> {
  if (done()) return;
  const began = performance.now();
  let turn = began;
  while (!done()) {
    const now = performance.now();
    if (now - began > spin) {
      const pause = Math.min(LONGEST_PAUSE_MS, (now - began) / 8);
      await new Promise((resolve) => setTimeout(resolve, pause));
    } else if (now - turn > TURN_MS) {
      await new Promise((resolve) => setImmediate(resolve));
      turn = performance.now();
    }
  }
}
