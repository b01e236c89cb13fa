/** How products of two matrices are best asked of oneDNN. */

/** `a^T b` with neither operand transposed by the product itself. */
export type Orientation =
  /** `transpose(a) b` */
  | "first"
  /** `transpose(transpose(b) a)` */
  | "second";

/** From this many rows on a copy costs less than it gains. */
const ROWS = 64;

/**
 * How to compute `a^T b`. oneDNN reaches two thirds of its speed if the product transposes its first operand: the
 * wider one is transposed before it, since a product with more rows than columns is faster too, unless it is so much
 * wider that the copy costs more.
 *
 * @param a [R, m]
 * @param b [R, n]
 * @returns null: as it is
 */
export function orientation([rows, m]: readonly number[], [, n]: readonly number[]): Orientation | null {
  if (rows < ROWS || Math.min(m, n) < 2) return null;
  const wider = m >= n ? "first" : "second";
  const narrower = m >= n ? "second" : "first";
  return Math.max(m, n) < 4 * Math.min(m, n) ? wider : narrower;
}
