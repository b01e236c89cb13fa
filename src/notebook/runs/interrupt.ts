/** Stopping what a cell does when its kernel is interrupted. */

interface Kernel {
  signal?: AbortSignal;
  holdInterrupts?(): () => void;
}

/** The kernel that runs this notebook, if it offers anything. */
const kernel = () => (globalThis as { jupyter?: Kernel }).jupyter;

/** Asks the kernel for the time to finish after an interrupt. @returns gives it back */
export const holdInterrupts = (): (() => void) => kernel()?.holdInterrupts?.() ?? (() => {});

/** Marks what an interrupted call gives, so that the cell that waits for it has it. */
export function answersInterrupt(value: object): void {
  Object.defineProperty(value, Symbol.for("Jupyter.answersInterrupt"), { value: true, configurable: true });
}

/**
 * Runs `work` with a signal that aborts when the cell is interrupted, or with the caller's own; the kernel's global `jupyter`
 * offers one.
 */
export async function interruptible<T>(
  given: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const offered = given ?? kernel()?.signal;
  // Awaited here, so that a stack names the cell.
  if (offered) return await work(offered);
  const controller = new AbortController();
  const stop = () => controller.abort();
  // Later, not now: a kernel that runs cells with node:vm takes listeners away while their synchronous part runs.
  const adding = setImmediate(() => process.once("SIGINT", stop));
  try {
    return await work(controller.signal);
  } finally {
    clearImmediate(adding);
    process.removeListener("SIGINT", stop);
  }
}
