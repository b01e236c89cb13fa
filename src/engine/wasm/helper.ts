/** A thread beside the main one that takes parts of the WASM engine's work, in memory that both see. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { AtmorepError } from "../../errors.js";
import { type SharedMemory, sharedMemory, WASM_PAGE } from "../../formats/wasmHost.js";
import { MOST_PARTS, type Parts } from "./parts.js";

/** What a helper can be asked to do. */
export const TASKS = ["multiply", "attend", "attendGrad"] as const;
export type Task = (typeof TASKS)[number];

/** States of a helper, in the first place of `control`; then come the task and its numbers. */
export const STATE = { starting: 0, idle: 1, running: 2, failed: 3 } as const;
export const [STATE_AT, TASK_AT, NUMBERS_AT] = [0, 1, 2];
const CONTROL_LENGTH = 32;

/** Most pages of 64 KiB of a helper's memory: 2 GiB. Of memory only what is used counts, of addresses all. */
export const MOST_PAGES = 32768;

/** What a helper is told at its start. */
export interface HelperSetup {
  memory: SharedMemory;
  control: Int32Array;
  /** of the task under way, shared by all threads */
  parts: Parts;
  /** its number among the threads; the main one is 0 */
  who: number;
}

export interface Helper {
  who: number;
  /** it runs, and has nothing to do */
  ready(): boolean;
  /** it works, perhaps on what an interrupt ended here */
  busy(): boolean;
  /** Makes room for so many bytes from address 0 on. @returns all of its memory; null: there is not as much */
  reserve(bytes: number): Float32Array | null;
  /** Has it begin. `numbers` are whole, the task's own. */
  start(task: Task, numbers: readonly number[]): void;
  /**
   * Waits until it is done. @returns all of its memory; null: it failed, perhaps for lack of memory, and is not asked again
   * @throws AtmorepError `failed` if it does not answer
   */
  finish(): Float32Array | null;
  /** Ends the thread; it is not ready afterwards. */
  end(): Promise<void>;
}

/** A wait in slices, of which a process that was stopped meanwhile loses one: ten minutes in all. */
const [SLICE_MS, SLICES] = [10_000, 60];

/** Grows a memory, if need be, to hold so many bytes. */
export function ensureBytes(memory: SharedMemory, bytes: number): void {
  const missing = bytes - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / WASM_PAGE));
}

/** Threads that work together. */
export interface Team {
  helpers: readonly Helper[];
  parts: Parts;
}

/** Starts a team of so many helpers, or as many as there is room for. From uncompiled sources there are none. */
export function startTeam(count: number): Team {
  const entry = fileURLToPath(new URL("./helperThread.js", import.meta.url));
  const parts = new Int32Array(new SharedArrayBuffer(4 * (1 + MOST_PARTS)));
  const numbers = existsSync(entry) && count > 0 ? Array.from({ length: count }, (_, i) => i + 1) : [];
  const helpers: Helper[] = [];
  for (const who of numbers) {
    try {
      helpers.push(startHelper(entry, parts, who));
    } catch {
      // a limit of addresses or of threads is reached: those that run will do
      break;
    }
  }
  return { helpers, parts };
}

function startHelper(entry: string, parts: Parts, who: number): Helper {
  const memory = sharedMemory(1, MOST_PAGES);
  const control = new Int32Array(new SharedArrayBuffer(4 * CONTROL_LENGTH));
  const setup: HelperSetup = { memory, control, parts, who };
  const thread = new Worker(entry, { workerData: setup, execArgv: [] });
  // the process ends without waiting for it
  thread.unref();
  // if it does not start, it is never ready, and the work is done here
  thread.on("error", () => {});
  const all = () => new Float32Array(memory.buffer);
  const state = () => Atomics.load(control, STATE_AT);
  return {
    who,
    ready: () => state() === STATE.idle,
    busy: () => state() === STATE.running,
    reserve(bytes) {
      try {
        ensureBytes(memory, bytes);
      } catch (error) {
        if (error instanceof RangeError) return null;
        throw error;
      }
      return all();
    },
    start(task, numbers) {
      control[TASK_AT] = TASKS.indexOf(task);
      control.set(numbers, NUMBERS_AT);
      Atomics.store(control, STATE_AT, STATE.running);
      Atomics.notify(control, STATE_AT);
    },
    finish() {
      let slices = 0;
      // it may be woken by what was meant for a wait before
      while (state() === STATE.running) {
        if (Atomics.wait(control, STATE_AT, STATE.running, SLICE_MS) === "timed-out" && ++slices === SLICES) {
          throw new AtmorepError("failed", "a thread of the WASM engine does not answer", {
            fix: "Set ATMOREP_THREADS=1 to do without.",
          });
        }
      }
      return state() === STATE.idle ? all() : null;
    },
    async end() {
      const close = () => Atomics.store(control, STATE_AT, STATE.failed);
      close();
      await thread.terminate();
      // it may just have become ready
      close();
    },
  };
}
