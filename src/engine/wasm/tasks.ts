/** What the main thread and its helpers tell each other: tasks as lists of whole numbers. */
import type { Sizes } from "./heads.js";
import type { Matrix } from "./product.js";

/** A product as `multiply` takes it; `end` is the first address that is free. */
export interface ProductTask {
  end: number;
  a: Matrix;
  b: Matrix;
  c: { at: number; row: number };
  sizes: readonly [m: number, n: number, k: number];
}

export const productTask = {
  write: ({ end, a, b, c, sizes }: ProductTask): number[] => [
    ...[end, a.at, a.row, a.column],
    ...[b.at, b.row, b.column],
    ...[c.at, c.row],
    ...sizes,
  ],
  read: ([end, aAt, aRow, aColumn, bAt, bRow, bColumn, cAt, cRow, m, n, k]: readonly number[]): ProductTask => ({
    end,
    a: { at: aAt, row: aRow, column: aColumn },
    b: { at: bAt, row: bRow, column: bColumn },
    c: { at: cAt, row: cRow },
    sizes: [m, n, k],
  }),
};

/** Heads as `attendHeads` and `attendHeadsGrad` take them. */
export interface HeadsTask {
  end: number;
  sizes: Sizes;
  /** addresses */
  tensors: readonly number[];
}

export const headsTask = {
  write: ({ end, sizes: { batch, heads, t, s, w }, tensors }: HeadsTask): number[] => [
    ...[end, batch, heads, t, s, w],
    ...tensors,
  ],
  read: ([end, batch, heads, t, s, w, ...tensors]: readonly number[]): HeadsTask => ({
    end,
    sizes: { batch, heads, t, s, w },
    tensors,
  }),
};

/** Who does what of a task that is shared: whoever is free takes the next part. */
export interface Parts {
  /** [the next part, who took part 0, part 1, ...] */
  places: Int32Array;
}

/** Parts of a task, at most. */
export const MOST_PARTS = 4096;

/**
 * Takes parts of a task for one thread.
 * @param who 0 is the main thread
 */
export const claimer =
  ({ places }: Parts, count: number, who: number) =>
  (): number | null => {
    const part = Atomics.add(places, 0, 1);
    if (part >= count) return null;
    places[1 + part] = who;
    return part;
  };
