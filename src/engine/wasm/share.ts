/**
 * Work shared between this thread and helpers. Each number comes out of the same operations in the same order, whoever
 * computes it, so that results do not depend on how many threads there are.
 */
import { attendHeads, attendHeadsGrad, type HeadRange, type Sizes } from "./heads.js";
import type { Helper } from "./helper.js";
import { type Matrix, multiply } from "./product.js";
import { headsTask, productTask } from "./tasks.js";
import type { Workspace } from "./workspace.js";

/** Multiplications below which waking a helper and copying cost more than they save. */
const LEAST_WORK = 4e6;
/** rows of a product's tile */
const TILE_ROWS = 4;

/** Helpers that can begin at once, if there is work enough for them, and a unit of it for everybody. */
function helpersFor({ helpers }: Workspace, multiplications: number, units: number): Helper[] {
  if (multiplications < LEAST_WORK) return [];
  return helpers.filter((helper) => helper.ready()).slice(0, units - 1);
}

/** `count` things in as many parts of whole `unit`s, of which there are as many at least. */
function ranges(count: number, parts: number, unit: number): HeadRange[] {
  const units = Math.ceil(count / unit);
  const bound = (part: number) => Math.min(count, Math.floor((units * part) / parts) * unit);
  return Array.from({ length: parts }, (_, part) => [bound(part), bound(part + 1)]);
}

/**
 * C = A B, of matrices that fill their memory without gaps.
 *
 * @param c address of the result, row-major
 */
export function multiplyShared(
  work: Workspace,
  a: Matrix,
  b: Matrix,
  c: number,
  [m, n, k]: readonly [number, number, number],
): void {
  const helpers = helpersFor(work, m * n * k, Math.ceil(m / TILE_ROWS));
  const [own, ...others] = ranges(m, helpers.length + 1, TILE_ROWS);
  for (const [i, helper] of helpers.entries()) {
    const [from, to] = others[i];
    // rows of A lie one after the other, or it is transposed and goes as a whole
    const whole = a.column !== 1;
    const [aFrom, aCount] = whole ? [0, m * k] : [from * k, (to - from) * k];
    const places = spaces([aCount, n * k, (to - from) * n]);
    const [aAt, bAt, cAt, end] = places;
    const memory = helper.reserve(end);
    copyIn(work, memory, a.at + 4 * aFrom, aAt, aCount);
    copyIn(work, memory, b.at, bAt, n * k);
    const first = whole ? aAt + 4 * from * a.row : aAt;
    const task = { end, a: { ...a, at: first }, b: { ...b, at: bAt }, c: { at: cAt, row: n } };
    helper.start("multiply", productTask.write({ ...task, sizes: [to - from, n, k] }));
  }
  multiply(work, a, b, { at: c, row: n }, [own[1], n, k]);
  for (const [i, helper] of helpers.entries()) {
    const [from, to] = others[i];
    const [, , cAt] = spaces([a.column !== 1 ? m * k : (to - from) * k, n * k, 0]);
    const result = helper.finish().subarray(cAt / 4, cAt / 4 + (to - from) * n);
    work.heap().set(result, c / 4 + from * n);
  }
}

/** Addresses one after the other of tensors with so many elements, and the first behind them. */
function spaces(counts: readonly number[]): number[] {
  let at = 0;
  const starts = counts.map((count) => {
    const start = at;
    at += 16 * Math.ceil(count / 4);
    return start;
  });
  return [...starts, at];
}

function copyIn(work: Workspace, memory: Float32Array, from: number, to: number, count: number): void {
  memory.set(work.heap().subarray(from / 4, from / 4 + count), to / 4);
}

type HeadsTaskName = "attend" | "attendGrad";

/** Per task what computes it, how many of its tensors are given, and how many rows a sequence each has. */
const HEADS: Readonly<
  Record<HeadsTaskName, { run: typeof attendHeads; inputs: number; rows: readonly ("t" | "s")[] }>
> = {
  attend: { run: attendHeads, inputs: 3, rows: ["t", "s", "s", "t"] },
  attendGrad: { run: attendHeadsGrad, inputs: 5, rows: ["t", "s", "s", "t", "t", "t", "s", "s"] },
};

/**
 * Attention or its gradients.
 *
 * @param tensors addresses as `attendHeads` or `attendHeadsGrad` takes them
 */
export function attendShared(work: Workspace, task: HeadsTaskName, sizes: Sizes, tensors: number[]): void {
  const { batch, heads, t, s, w } = sizes;
  const { run, inputs, rows } = HEADS[task];
  const helpers = helpersFor(work, 2 * batch * heads * t * s * w, batch * heads);
  const [own, ...others] = ranges(batch * heads, helpers.length + 1, 1);
  const counts = rows.map((kind) => batch * sizes[kind] * heads * w);
  const places = spaces(counts);
  const end = places.pop()!;
  for (const [i, helper] of helpers.entries()) {
    const memory = helper.reserve(end);
    for (let k = 0; k < inputs; k++) copyIn(work, memory, tensors[k], places[k], counts[k]);
    helper.start(task, headsTask.write({ end, sizes, range: others[i], tensors: places }));
  }
  run(work, sizes, own, tensors);
  for (const [i, helper] of helpers.entries()) {
    const memory = helper.finish();
    for (let k = inputs; k < places.length; k++) {
      copyHeads(sizes, others[i], sizes[rows[k]], memory.subarray(places[k] / 4), work.heap().subarray(tensors[k] / 4));
    }
  }
}

/** Copies the columns of some heads. */
function copyHeads(
  { batch, heads, w }: Sizes,
  [from, to]: HeadRange,
  rows: number,
  source: Float32Array,
  target: Float32Array,
): void {
  for (let b = 0; b < batch; b++) {
    const [first, last] = [Math.max(from, b * heads), Math.min(to, (b + 1) * heads)].map((i) => (i - b * heads) * w);
    if (first >= last) continue;
    for (let row = b * rows; row < (b + 1) * rows; row++) {
      const at = row * heads * w;
      target.set(source.subarray(at + first, at + last), at + first);
    }
  }
}
