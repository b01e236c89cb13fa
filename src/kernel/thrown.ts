/** What is known of a thrown value beside itself: the run that it comes from, and the place of one that is no Error. */
import { EventEmitter } from "node:events";
import { isErrorLike } from "./errorLike.js";
import { ownRun, type Run } from "./runs.js";

/** Of objects alone. */
const runs = new WeakMap<object, Run>();
/** The last that was thrown without a stack of its own. */
let bare: { value: unknown; stack: string } | undefined;

const isObject = (value: unknown): value is object =>
  (typeof value === "object" && value !== null) || typeof value === "function";

/** Notes that `value` comes from `run`; of an error that passes several functions the last word counts. */
export function noteRun(value: unknown, run: Run | undefined): void {
  if (run !== undefined && isObject(value)) runs.set(value, run);
}

/** The run that this value was thrown in, where that is known. */
export function thrownIn(value: unknown): Run | undefined {
  return isObject(value) ? runs.get(value) : undefined;
}

/** Called with what a cell throws. @returns it */
export function thrown<T>(value: T): T {
  if (!isObject(value) || !("stack" in value)) bare = { value, stack: new Error().stack ?? "" };
  return value;
}

/** A new cell begins: what is thrown without a stack from now on is not what was thrown in another. */
export function forgetThrown(): void {
  bare = undefined;
}

/** The stack of what was thrown: its own, or the place of the `throw`. */
export function stackOf(value: unknown): string {
  if (isErrorLike(value) && value.stack !== undefined) return String(value.stack);
  return bare !== undefined && Object.is(bare.value, value) ? bare.stack : "";
}

/**
 * From now on an `error` event for which nobody listens is told to belong to the run that made its emitter: a worker, a
 * socket or a child process fails while any cell may be at work.
 */
export function watchEmitters(): void {
  const emitters = EventEmitter as unknown as { init(this: object, options?: unknown): void };
  const owners = new WeakMap<object, Run>();
  const { init } = emitters;
  emitters.init = function (options) {
    const run = ownRun();
    if (run !== undefined) owners.set(this, run);
    init.call(this, options);
  };
  const { emit } = EventEmitter.prototype;
  EventEmitter.prototype.emit = function (event: string | symbol, ...args: unknown[]) {
    if (event === "error" && this.listenerCount("error") === 0) noteRun(args[0], owners.get(this));
    return emit.call(this, event, ...args);
  };
}
