/** Runs: one for each execute request. Whatever a cell starts, at once or later, belongs to its run. */
/** Thrown in a cell that the user has interrupted. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  constructor() {
    super("the cell was interrupted");
  }
}

/** A timer of a run. */
export interface RunTimer {
  stop(): void;
  repeats: boolean;
  /** when it fires, by `performance.now()` */
  due: number;
}

export class Run {
  readonly id: number;
  /** the number shown in `In [n]` */
  readonly count: number;
  readonly controller = new AbortController();
  /** timers that have not fired */
  readonly timers = new Set<RunTimer>();
  done = false;
  /** names that its cell declares */
  declares: readonly string[] = [];

  constructor(id: number, count: number) {
    this.id = id;
    this.count = count;
  }

  get interrupted(): boolean {
    return this.controller.signal.aborted;
  }

  /** Aborts the run's signal and stops what repeats; timers that fire once may still be waited for by clean-up. */
  interrupt(): void {
    this.controller.abort(new Interrupted());
    for (const timer of this.timers) if (timer.repeats) timer.stop();
  }

  stopTimers(): void {
    for (const timer of this.timers) timer.stop();
    this.timers.clear();
  }

  /** True if a timer fires before `time`. */
  isExpecting(time: number): boolean {
    for (const timer of this.timers) if (!timer.repeats && timer.due < time) return true;
    return false;
  }
}

/**
 * The run of the cell at work, and the run whose timer is firing. Not AsyncLocalStorage: before Node 24 it hooks into
 * promises, and Node aborts the process when JavaScript is ended from outside while such a hook is open.
 */
let current: Run | undefined;
let firing: Run | undefined;

/** The run that the code at hand belongs to. */
export function ownRun(): Run | undefined {
  return firing ?? current;
}

/** Names the run of the cell at work; a timer that was ended from outside is forgotten. */
export function setCurrentRun(run: Run | undefined): void {
  current = run;
  firing = undefined;
}

/** Interrupts the run of the cell at work, once. */
export function interruptCurrentRun(): void {
  if (current && !current.done && !current.interrupted) current.interrupt();
}

/** Runs the callback of a timer that belongs to `run`. */
export function inRun<T>(run: Run, work: () => T): T {
  const before = firing;
  firing = run;
  try {
    return work();
  } finally {
    firing = before;
  }
}
