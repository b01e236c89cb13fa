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
