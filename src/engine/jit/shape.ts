/** How the products of a kernel are cut, by what the processor's registers hold. */
import type { Target } from "../llvm/jit.js";

/** Sizes of the tile of a product that is kept in registers. */
export interface Tile {
  /** rows */
  rows: number;
  /** vectors in a row */
  vectors: number;
}

/** The largest tile of up to two vectors a row: its sums, one row of the second factor and one number fit. */
export function tileFor({ registers }: Target, vectors: number): Tile {
  const width = vectors % 2 === 0 ? 2 : 1;
  if (registers >= 32) return { rows: 12, vectors: width };
  return { rows: 6, vectors: width };
}

/** Size of equal parts of `count`, of whole `unit`s, as few as none above `most` allows. */
export function equalParts(count: number, most: number, unit = 1): number {
  const parts = Math.max(1, Math.ceil(count / most));
  return Math.max(unit, roundUp(Math.ceil(count / parts), unit));
}

/** `count` rounded up to a whole number of `unit`. */
export const roundUp = (count: number, unit: number): number => Math.ceil(count / unit) * unit;
