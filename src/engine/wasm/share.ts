/**
 * Work shared between this thread and helpers. Each number comes out of the same operations in the same order, whoever
 * computes it, so that results do not depend on how many threads there are.
 */
import { attendHeads, attendHeadsGrad, type Sizes } from "./heads.js";
import type { Helper } from "./helper.js";
import { type Claim, claimer, MOST_PARTS } from "./parts.js";
import { BLOCK_ROWS, type Matrix, multiply, multiplyBlocks } from "./product.js";
import { headsTask, productTask } from "./tasks.js";
import type { Workspace } from "./workspace.js";

/** Multiplications for each helper below which waking it and copying cost more than they save. */
const LEAST_WORK = 4e6;

/** Helpers that can begin at once, as many as there is work for, with a part of it for everybody. */
function helpersFor({ team: { helpers } }: Workspace, multiplications: number, parts: number): Helper[] {
  // one that an interrupt left at work takes parts of what is under way
  if (parts > MOST_PARTS || helpers.some((helper) => helper.busy())) return [];
  const most = Math.min(parts - 1, Math.floor(multiplications / LEAST_WORK));
  return helpers.filter((helper) => helper.ready()).slice(0, Math.max(0, most));
}

interface Steps {
  /** @returns false: the helper has not the memory for it */
  start(helper: Helper): boolean;
  own(claim: Claim): void;
  take(memory: Float32Array, part: number): void;
}

/** Has helpers begin, does what is left for this thread, and takes over what they did, part by part. */
function together({ team }: Workspace, helpers: readonly Helper[], count: number, steps: Steps): void {
  const parts = helpers.length > 0 ? team.parts : new Int32Array(1 + count);
  parts[0] = 0;
  const started = helpers.filter((helper) => steps.start(helper));
  steps.own(claimer(parts, count, 0));
  for (const helper of started) {
    const memory = helper.finish();
    const its = Array.from({ length: count }, (_, part) => part).filter((part) => parts[1 + part] === helper.who);
    if (memory) for (const part of its) steps.take(memory, part);
    else steps.own(() => its.pop() ?? null);
  }
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
  sizes: readonly [number, number, number],
): void {
  const [m, n, k] = sizes;
  const blocks = Math.ceil(m / BLOCK_ROWS);
  const helpers = helpersFor(work, m * n * k, blocks);
  if (helpers.length === 0) {
    multiply(work, a, b, { at: c, row: n }, sizes);
    return;
  }
  const [aAt, bAt, cAt, end] = spaces([m * k, n * k, m * n]);
  const task = { end, a: { ...a, at: aAt }, b: { ...b, at: bAt }, c: { at: cAt, row: n }, sizes };
  together(work, helpers, blocks, {
    start(helper) {
      const memory = helper.reserve(end);
      if (!memory) return false;
      copyIn(work, memory, a.at, aAt, m * k);
      copyIn(work, memory, b.at, bAt, n * k);
      helper.start("multiply", productTask.write(task));
      return true;
    },
    own: (claim) => multiplyBlocks(work, a, b, { at: c, row: n }, sizes, claim),
    take(memory, block) {
      const [from, to] = [block, block + 1].map((i) => Math.min(m, i * BLOCK_ROWS) * n);
      work.heap().set(memory.subarray(cAt / 4 + from, cAt / 4 + to), c / 4 + from);
    },
  });
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
  const count = batch * heads;
  const helpers = helpersFor(work, 2 * count * t * s * w, count);
  const elements = rows.map((kind) => batch * sizes[kind] * heads * w);
  const places = spaces(elements);
  const end = places.pop()!;
  together(work, helpers, count, {
    start(helper) {
      const memory = helper.reserve(end);
      if (!memory) return false;
      for (let i = 0; i < inputs; i++) copyIn(work, memory, tensors[i], places[i], elements[i]);
      helper.start(task, headsTask.write({ end, sizes, tensors: places }));
      return true;
    },
    own: (claim) => run(work, sizes, claim, tensors),
    take(memory, head) {
      for (let i = inputs; i < places.length; i++) {
        const [source, target] = [memory.subarray(places[i] / 4), work.heap().subarray(tensors[i] / 4)];
        copyHead(sizes, head, sizes[rows[i]], source, target);
      }
    },
  });
}

/** Copies the columns of a head. */
function copyHead({ heads, w }: Sizes, head: number, rows: number, source: Float32Array, target: Float32Array): void {
  const [b, h] = [Math.floor(head / heads), head % heads];
  for (let row = b * rows; row < (b + 1) * rows; row++) {
    const at = (row * heads + h) * w;
    for (let i = at; i < at + w; i++) target[i] = source[i];
  }
}
