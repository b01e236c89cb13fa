/** Runs: one for each execute request. Whatever a cell starts, at once or later, belongs to its run. */
import { promiseHooks } from "node:v8";

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
  /** of a shell beside the main one */
  beside = false;
  /** false in headless runs */
  interactive = true;
  /** how often its cell has asked for time after an interrupt */
  holds = 0;
  /** what it asked to show in the pager */
  readonly pages: Record<string, unknown>[] = [];

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

/** The run of the main shell's cell at work, and the run whose timer is firing. */
let current: Run | undefined;
let firing: Run | undefined;

/**
 * Runs of other shells at work, which one of them the promise belongs to that goes on now, and what ends the hooks. They
 * alone need hooks into promises, and pay for them: what is none of theirs is the main shell's. Not AsyncLocalStorage:
 * before Node 24, Node aborts the process when JavaScript is ended from outside while its hook is open.
 */
const atWorkBeside = new Set<Run>();
let beside: Run | undefined;
let owners = new WeakMap<Promise<unknown>, Run>();
let unhook: (() => void) | undefined;

/** The run that the code at hand belongs to. */
export function ownRun(): Run | undefined {
  return firing ?? beside ?? current ?? (atWorkBeside.size === 1 ? [...atWorkBeside][0] : undefined);
}

/** Names the run of the main shell's cell at work; a timer that was ended from outside is forgotten. */
export function setCurrentRun(run: Run | undefined): void {
  current = run;
  firing = undefined;
  beside = undefined;
}

/** Begins the cell of a shell beside the main one: what `work` calls, now and through promises and timers, is the run's. */
export function runBeside(run: Run, work: () => void): void {
  atWorkBeside.add(run);
  unhook ??= promiseHooks.createHook({
    init(promise) {
      const run = firing ?? beside;
      if (run?.beside) owners.set(promise, run);
    },
    before(promise) {
      beside = owners.get(promise);
    },
    after() {
      beside = undefined;
    },
  }) as unknown as () => void;
  beside = run;
  try {
    work();
  } finally {
    beside = undefined;
  }
}

/** Such a cell is done, or was ended from outside. After the last one nothing hooks into promises. */
export function endBeside(run: Run): void {
  atWorkBeside.delete(run);
  if (beside === run) beside = undefined;
  if (atWorkBeside.size > 0) return;
  unhook?.();
  unhook = undefined;
  owners = new WeakMap();
}

/** Interrupts a run, once. */
export function interruptRun(run: Run | undefined): void {
  if (run && !run.done && !run.interrupted) run.interrupt();
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
