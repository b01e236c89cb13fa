/** How long a piece of code takes, for notebooks. */
import { median } from "../../bench/median.js";
import { AtmorepError } from "../../errors.js";
import type { Displayable } from "../figure/display.js";
import { interruptible } from "../runs/interrupt.js";
import { told } from "./told.js";

export interface TimeOptions {
  /** calls that are measured, one by one; default: as many as fit into two seconds, at most 7 groups of calls */
  runs?: number;
}

/** What {@link time} found. All times are milliseconds of one call. */
export interface Timing<T> {
  /** what the first call gave */
  value: T;
  median: number;
  fastest: number;
  slowest: number;
  /** the first call, which may have loaded or compiled something; the others do not count it unless it is the only one */
  first: number;
  /** each run, in order */
  runs: number[];
  /** calls of a run, over which it is a mean */
  calls: number;
}

const MOST_RUNS = 7;
/** A run of many short calls takes about so long: the clock's steps and the loop around the calls do not show. */
const RUN_MS = 50;
const ALL_MS = 2000;

/**
 * Times `work`, which may be asynchronous, and prints the median. The first call stands alone; if it took less than two
 * seconds, further runs follow until two seconds are over, of many calls each where one is short. What those calls give
 * is dropped: tensors are disposed in `work` itself (`tf.tidy`). A cell that is interrupted stops between two runs.
 *
 * @param options `runs`: so many calls, however long they take
 * @returns the first call's value, and the times in milliseconds
 * @throws AtmorepError (usage) if `work` is no function or `runs` no number of calls; whatever `work` throws
 * @example const { value, median } = await time(() => prepare(config));
 * @example await time(() => JSON.parse(text), { runs: 100 });
 */
export async function time<T>(work: () => T, options: TimeOptions = {}): Promise<Timing<Awaited<T>> & Displayable> {
  const { runs } = options;
  assertArguments(work, runs);
  // Awaited here, so that a stack names the cell.
  const found = await interruptible(undefined, (signal) => measure(work, runs, signal));
  const text = timingText(found);
  console.log(text);
  return told(found, () => text);
}

function assertArguments(work: unknown, runs: number | undefined): void {
  if (typeof work !== "function") {
    throw new AtmorepError("usage", "not a function", {
      where: "nb.time",
      found: String(work),
      expected: "a function that does what is timed",
      fix: "Put () => in front of the expression.",
    });
  }
  if (runs !== undefined && !(Number.isInteger(runs) && runs > 0)) {
    throw new AtmorepError("usage", "not a number of calls", {
      where: "nb.time, runs",
      found: String(runs),
      expected: "a whole number above 0",
    });
  }
}

async function measure<T>(work: () => T, asked: number | undefined, signal: AbortSignal): Promise<Timing<Awaited<T>>> {
  const begin = performance.now();
  const value = await work();
  const first = performance.now() - begin;
  const runs: number[] = [];
  let calls = 1;
  const more = () =>
    asked === undefined ? runs.length < MOST_RUNS && performance.now() - begin < ALL_MS : runs.length < asked;
  while (more()) {
    signal.throwIfAborted();
    const ms = await timeCalls(work, calls);
    const next = asked === undefined ? callsFor(ms, calls) : calls;
    // Runs of too few calls only find out how many it must be.
    if (next > calls && more()) calls = next;
    else runs.push(ms / calls);
    // Interrupts and output come between the turns of the event loop.
    await new Promise((turn) => setImmediate(turn));
  }
  if (runs.length === 0) runs.push(first);
  const [fastest, slowest] = [runs.reduce((a, b) => Math.min(a, b)), runs.reduce((a, b) => Math.max(a, b))];
  return { value, median: median(runs), fastest, slowest, first, runs, calls };
}

/** @returns the milliseconds of all calls together */
async function timeCalls(work: () => unknown, calls: number): Promise<number> {
  const begin = performance.now();
  for (let i = 0; i < calls; i++) {
    const given = work();
    // Waiting for what is there already would be most of a short call's time.
    if (isPromise(given)) await given;
  }
  return performance.now() - begin;
}

const isPromise = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === "object" && value !== null && typeof Reflect.get(value, "then") === "function";

/** 1, 10, 100, ...: so many calls that they fill a run. */
function callsFor(ms: number, calls: number): number {
  if (ms >= RUN_MS / 5) return calls;
  const wanted = (calls * RUN_MS) / Math.max(ms, RUN_MS / 1000);
  let next = 10 * calls;
  while (3 * next < wanted) next *= 10;
  return next;
}

/** Milliseconds as a person reads them. */
function shownTime(ms: number): string {
  const units = [
    [6e4, "min"],
    [1e3, "s"],
    [1, "ms"],
    [1e-3, "µs"],
    [0, "ns"],
  ] as const;
  const [size, unit] = units.find(([least]) => ms >= least) ?? units[4];
  const value = ms / (size === 0 ? 1e-6 : size);
  return `${Number(value.toPrecision(3))} ${unit}`;
}

function timingText({ median, fastest, slowest, first, runs, calls }: Timing<unknown>): string {
  if (runs.length === 1 && calls === 1) return `${shownTime(median)} (one call)`;
  const each = calls === 1 ? `${runs.length} calls` : `${runs.length} runs of ${calls.toLocaleString("en-US")} calls`;
  return `median ${shownTime(median)} (${shownTime(fastest)} to ${shownTime(slowest)}, ${each}; the first call ${shownTime(first)})`;
}
