/** A thread beside the main one that takes parts of the WASM engine's work, in memory that both see. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { AtmorepError } from "../../errors.js";
import { MOST_PARTS, type Parts } from "./tasks.js";

/** What a helper can be asked to do. */
export const TASKS = ["multiply", "attend", "attendGrad"] as const;
export type Task = (typeof TASKS)[number];

/** States of a helper, in the first place of `control`; then come the task and its numbers. */
export const STATE = { starting: 0, idle: 1, running: 2, failed: 3 } as const;
export const [STATE_AT, TASK_AT, NUMBERS_AT] = [0, 1, 2];
const CONTROL_LENGTH = 32;

/** Most pages of 64 KiB of a helper's memory: 2 GiB, of which only what is used counts. */
export const MOST_PAGES = 32768;
const PAGE_BYTES = 65536;

/** What a helper is told at its start. */
export interface HelperSetup {
  memory: SharedMemory;
  control: Int32Array;
  /** of the task under way, shared by all threads */
  parts: Parts;
  /** its number among the threads; the main one is 0 */
  who: number;
}

/** The part that is used of a shared `WebAssembly.Memory`. */
export interface SharedMemory {
  buffer: SharedArrayBuffer;
  grow(pages: number): number;
}

declare const WebAssembly: {
  Memory: new (limits: { initial: number; maximum: number; shared: true }) => SharedMemory;
};

export interface Helper {
  who: number;
  /** it runs, and has nothing to do */
  ready(): boolean;
  /** makes room for so many bytes from address 0 on; @returns all of its memory */
  reserve(bytes: number): Float32Array;
  /** Has it begin. `numbers` are whole, the task's own. */
  start(task: Task, numbers: readonly number[]): void;
  /**
   * Waits until it is done. @returns all of its memory
   * @throws AtmorepError `failed` if it could not do it, or does not answer
   */
  finish(): Float32Array;
}

/** Enough for what takes seconds on a machine that is busy otherwise. */
const PATIENCE_MS = 600_000;

/** Grows a memory, if need be, to hold so many bytes. */
export function ensureBytes(memory: SharedMemory, bytes: number): void {
  const missing = bytes - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
}

/** Threads that work together. */
export interface Team {
  helpers: readonly Helper[];
  parts: Parts;
}

/** Starts a team of so many helpers. From uncompiled sources there are none. */
export function startTeam(count: number): Team {
  const entry = fileURLToPath(new URL("./helperThread.js", import.meta.url));
  const parts = { places: new Int32Array(new SharedArrayBuffer(4 * (1 + MOST_PARTS))) };
  const numbers = existsSync(entry) && count > 0 ? Array.from({ length: count }, (_, i) => i + 1) : [];
  return { helpers: numbers.map((who) => startHelper(entry, parts, who)), parts };
}

function startHelper(entry: string, parts: Parts, who: number): Helper {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: MOST_PAGES, shared: true });
  const control = new Int32Array(new SharedArrayBuffer(4 * CONTROL_LENGTH));
  const setup: HelperSetup = { memory, control, parts, who };
  const thread = new Worker(entry, { workerData: setup, execArgv: [] });
  // the process ends without waiting for it
  thread.unref();
  // without it the work is done here
  thread.on("error", () => {});
  const all = () => new Float32Array(memory.buffer);
  return {
    who,
    ready: () => Atomics.load(control, STATE_AT) === STATE.idle,
    reserve(bytes) {
      ensureBytes(memory, bytes);
      return all();
    },
    start(task, numbers) {
      control[TASK_AT] = TASKS.indexOf(task);
      control.set(numbers, NUMBERS_AT);
      Atomics.store(control, STATE_AT, STATE.running);
      Atomics.notify(control, STATE_AT);
    },
    finish() {
      const answer = Atomics.wait(control, STATE_AT, STATE.running, PATIENCE_MS);
      if (answer === "timed-out" || Atomics.load(control, STATE_AT) !== STATE.idle) {
        throw new AtmorepError("failed", "a thread of the WASM engine did not do its part", {
          found: answer === "timed-out" ? "no answer" : "an error, perhaps for lack of memory",
          fix: "Set ATMOREP_THREADS=1 to do without.",
        });
      }
      return all();
    },
  };
}
