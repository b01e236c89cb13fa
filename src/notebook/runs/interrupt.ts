/** Stopping what a cell does when its kernel is interrupted. */

/**
 * Runs `work` with a signal that aborts when the cell is interrupted, or with the caller's own; the kernel's global `jupyter`
 * offers one.
 */
export async function interruptible<T>(
  given: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const offered = given ?? (globalThis as { jupyter?: { signal?: AbortSignal } }).jupyter?.signal;
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
