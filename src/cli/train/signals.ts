/** SIGINT and SIGTERM: the first asks the run to save and stop, a second one ends the process at once. */

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

export interface StopSignals {
  signal: AbortSignal;
  /** exit code of the signal that came, or null */
  exitCode: () => number | null;
  release: () => void;
}

export function stopOnSignals(): StopSignals {
  const controller = new AbortController();
  let code: number | null = null;
  const handlers = (Object.keys(EXIT_CODES) as (keyof typeof EXIT_CODES)[]).map((name) => {
    const handler = () => {
      if (code !== null) process.exit(EXIT_CODES[name]);
      code = EXIT_CODES[name];
      process.stderr.write(`\n${name}: saving a checkpoint; once more ends at once\n`);
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
