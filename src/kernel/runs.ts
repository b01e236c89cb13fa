/** Runs: one for each execute request. Whatever a cell starts, at once or later, belongs to its run. */
import { AsyncLocalStorage } from "node:async_hooks";

/** Thrown in a cell that the user has interrupted. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  constructor() {
    super("the cell was interrupted");
  }
}

/** What was started by a run and ends with an interrupt. */
export interface Stoppable {
  stop(): void;
}

export class Run {
  readonly id: number;
  /** the number shown in `In [n]` */
  readonly count: number;
  readonly controller = new AbortController();
  /** timers that have not fired */
  readonly timers = new Set<Stoppable>();
  done = false;

  constructor(id: number, count: number) {
    this.id = id;
    this.count = count;
  }

  get interrupted(): boolean {
    return this.controller.signal.aborted;
  }

  /** Aborts the run's signal and stops its timers. */
  interrupt(): void {
    this.controller.abort(new Interrupted());
    for (const timer of this.timers) timer.stop();
    this.timers.clear();
  }
}

const storage = new AsyncLocalStorage<Run>();

/** The run that the code at hand belongs to. */
export function ownRun(): Run | undefined {
  return storage.getStore();
}

export function inRun<T>(run: Run, work: () => T): T {
  return storage.run(run, work);
}
