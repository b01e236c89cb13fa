/** Memory of cells: V8 ends the process where its heap is full, so cell code is stopped a little before. */
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * Kept free: this share of the limit, at most so much. It is for what comes between two looks, and for the young generation, which
 * V8 counts into the limit though values that stay can't have it (three semi-spaces: 48 MiB in Node 20, 96 MiB in Node 26).
 */
const FREE_SHARE = 0.25;
const MOST_FREE = 512 * 2 ** 20;
/** Rounds of cell code's loops between two looks at the clock, and time between two looks at the heap. */
const ROUNDS = 64;
const EVERY_MS = 5;

let rounds = 0;
let looked = 0;

/**
 * Called in every round of every loop of cells.
 * @throws RangeError if the heap is nearly full, also once it is cleaned
 */
export function checkHeap(): void {
  if (++rounds < ROUNDS) return;
  rounds = 0;
  const now = performance.now();
  if (now - looked < EVERY_MS) return;
  looked = now;
  if (!nearlyFull()) return;
  collect();
  if (nearlyFull()) {
    const { used_heap_size, heap_size_limit } = getHeapStatistics();
    throw new RangeError(
      `out of memory: variables take ${gigabytes(used_heap_size)} of the ${gigabytes(heap_size_limit)} GB that V8's heap may have. ` +
        "Let go of what is not needed (assign null), use typed arrays, which do not count, or start with " +
        "NODE_OPTIONS=--max-old-space-size=MEGABYTES.",
    );
  }
}

function nearlyFull(): boolean {
  const { used_heap_size, heap_size_limit } = getHeapStatistics();
  return used_heap_size > heap_size_limit - Math.min(MOST_FREE, FREE_SHARE * heap_size_limit);
}

/** A whole collection; Node offers none without a flag. */
function collect(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(1);
