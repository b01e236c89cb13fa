/** Timers that end with an interrupt: `setTimeout` and its kin remember the run that set them. */
import { createRequire, syncBuiltinESMExports } from "node:module";
import { promisify } from "node:util";
import { inRun, ownRun, type Run } from "./runs.js";
import { noteRun } from "./thrown.js";

type Callback = (...args: unknown[]) => void;
type Set = (callback: Callback, delay?: number, ...args: unknown[]) => object;
type WithSignal = { signal?: AbortSignal };

const require = createRequire(import.meta.url);

/** Runs that have set timers; an interrupt of an idle kernel stops them all. */
const withTimers = new Set<Run>();

/** Stops the timers of every run. */
export function stopAllTimers(): void {
  for (const run of withTimers) run.stopTimers();
  withTimers.clear();
}

function tracked(set: Set, clear: (timer: object) => void, repeats: boolean): Set {
  return (callback, ...rest) => {
    const run = ownRun();
    if (run === undefined || typeof callback !== "function") return set(callback, ...rest);
    const fire: Callback = (...args) => {
      if (!repeats) run.timers.delete(handle);
      try {
        inRun(run, () => callback(...args));
      } catch (error) {
        noteRun(error, run);
        throw error;
      }
    };
    const timer = set(fire, ...rest);
    const delay = typeof rest[0] === "number" ? rest[0] : 0;
    const handle = { stop: () => clear(timer), repeats, due: performance.now() + delay };
    run.timers.add(handle);
    withTimers.add(run);
    handles.set(timer, () => run.timers.delete(handle));
    return timer;
  };
}

/** How a cleared timer leaves its run. */
const handles = new WeakMap<object, () => void>();

function forgetting(clear: (timer: never) => void): (timer: unknown) => void {
  return (timer) => {
    if (typeof timer === "object" && timer !== null) handles.get(timer)?.();
    clear(timer as never);
  };
}

function signalOf(options: WithSignal | undefined): AbortSignal | undefined {
  const own = ownRun()?.controller.signal;
  if (own === undefined) return options?.signal;
  return options?.signal === undefined ? own : AbortSignal.any([own, options.signal]);
}

/** Replaces the timers of this process, global ones and those of `node:timers` and `node:timers/promises`. */
export function installTimers(): void {
  const timers = require("node:timers") as Record<string, unknown>;
  const promises = require("node:timers/promises") as Record<string, (...args: never[]) => unknown>;
  const later = promises.setTimeout as (ms?: number, value?: unknown, options?: WithSignal) => Promise<unknown>;
  const soon = promises.setImmediate as (value?: unknown, options?: WithSignal) => Promise<unknown>;
  const every = promises.setInterval as (ms?: number, value?: unknown, options?: WithSignal) => AsyncIterable<unknown>;
  const own = {
    setTimeout: (ms?: number, value?: unknown, options?: WithSignal) =>
      later(ms, value, { ...options, signal: signalOf(options) }),
    setImmediate: (value?: unknown, options?: WithSignal) => soon(value, { ...options, signal: signalOf(options) }),
    setInterval: (ms?: number, value?: unknown, options?: WithSignal) =>
      every(ms, value, { ...options, signal: signalOf(options) }),
  };
  const replaced = {
    setTimeout: tracked(setTimeout as unknown as Set, clearTimeout as (t: object) => void, false),
    setInterval: tracked(setInterval as unknown as Set, clearInterval as (t: object) => void, true),
    setImmediate: tracked(setImmediate as unknown as Set, clearImmediate as unknown as (t: object) => void, false),
    clearTimeout: forgetting(clearTimeout),
    clearInterval: forgetting(clearInterval),
    clearImmediate: forgetting(clearImmediate),
  };
  Object.defineProperty(replaced.setTimeout, promisify.custom, { value: own.setTimeout });
  Object.defineProperty(replaced.setImmediate, promisify.custom, { value: own.setImmediate });
  Object.assign(promises, own);
  Object.assign(timers, replaced);
  Object.assign(globalThis, replaced);
  syncBuiltinESMExports();
}
