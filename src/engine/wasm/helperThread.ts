/** Entry of a helper's thread: does what it is asked for, in its own memory. */
import { workerData } from "node:worker_threads";
import { attendHeads, attendHeadsGrad } from "./heads.js";
import { ensureBytes, type HelperSetup, MOST_PAGES, NUMBERS_AT, STATE, STATE_AT, TASK_AT, TASKS } from "./helper.js";
import { claimer } from "./parts.js";
import { BLOCK_ROWS, multiplyBlocks } from "./product.js";
import { loadProgram } from "./program.js";
import { headsTask, productTask } from "./tasks.js";
import type { Workspace } from "./workspace.js";

const { memory, control, parts, who } = workerData as HelperSetup;
const run = loadProgram(memory, MOST_PAGES);

/** Scratch space behind what the main thread put into memory. */
function workspaceFrom(start: number): Workspace {
  const blocks = new Map<string, { address: number; bytes: number }>();
  let end = start;
  return {
    run,
    team: { helpers: [], parts },
    heap: () => new Float32Array(memory.buffer),
    scratch(name, bytes) {
      const block = blocks.get(name);
      if (block && block.bytes >= bytes) return block.address;
      const address = end;
      end += Math.ceil(bytes / 16) * 16;
      ensureBytes(memory, end);
      blocks.set(name, { address, bytes });
      return address;
    },
  };
}

function perform(): void {
  const numbers = Array.from(control.subarray(NUMBERS_AT));
  const task = TASKS[control[TASK_AT]];
  if (task === "multiply") {
    const { end, a, b, c, sizes } = productTask.read(numbers);
    multiplyBlocks(workspaceFrom(end), a, b, c, sizes, claimer(parts, Math.ceil(sizes[0] / BLOCK_ROWS), who));
    return;
  }
  const { end, sizes, tensors } = headsTask.read(numbers);
  const claim = claimer(parts, sizes.batch * sizes.heads, who);
  (task === "attend" ? attendHeads : attendHeadsGrad)(workspaceFrom(end), sizes, claim, tensors);
}

let state: number = STATE.idle;
for (;;) {
  Atomics.store(control, STATE_AT, state);
  Atomics.notify(control, STATE_AT);
  // it may be woken by what was meant for a wait before
  while (Atomics.load(control, STATE_AT) !== STATE.running) Atomics.wait(control, STATE_AT, state);
  try {
    perform();
    state = STATE.idle;
  } catch {
    state = STATE.failed;
  }
}
