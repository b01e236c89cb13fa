/**
 * Signals that ask the work to stop: the first lets it save, a second one ends the process at once. SIGUSR1 is what schedulers send
 * before a limit where they are asked to (`--signal=B:USR1@120`), SIGHUP what a terminal sends that is closed.
 */

/** 128 and the number of the signal, as shells tell it. */
export const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129, SIGUSR1: 138 } as const;

export interface StopSignals {
  signal: AbortSignal;
  /** exit code of the signal that came, or null */
  exitCode: () => number | null;
  release: () => void;
}

/** @param told after the name of the first signal: what happens now; null for nothing */
export function stopOnSignals(told: string | null): StopSignals {
  const controller = new AbortController();
  let code: number | null = null;
  const handlers = (Object.keys(EXIT_CODES) as (keyof typeof EXIT_CODES)[]).map((name) => {
    const handler = () => {
      if (code !== null) process.exit(EXIT_CODES[name]);
      code = EXIT_CODES[name];
      if (told !== null) process.stderr.write(`\n${name}: ${told}; once more ends at once\n`);
      controller.abort(name);
    };
    process.on(name, handler);
    return [name, handler] as const;
  });
  return {
    signal: controller.signal,
    exitCode: () => code,
    release: () => {
      for (const [name, handler] of handlers) process.off(name, handler);
    },
  };
}
