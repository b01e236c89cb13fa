/** Products of matrices of any strides: operands are packed first, and one loop does the rest. */
import type { Claim } from "./parts.js";
import type { Workspace } from "./workspace.js";

/** A matrix in memory: byte address of its first element, and the distance of rows and columns in elements. */
export interface Matrix {
  at: number;
  row: number;
  column: number;
}

/**
 * C = alpha A B.
 *
 * @param c row-major, columns next to each other
 */
export function multiply(
  work: Workspace,
  a: Matrix,
  b: Matrix,
  c: { at: number; row: number },
  [m, n, k]: readonly [number, number, number],
  alpha = 1,
): void {
  packSecond(work, b, n, k);
  multiplyRows(work, a, c, [m, n, k], alpha);
}

/** Rows of a block of `multiplyBlocks`. */
export const BLOCK_ROWS = 64;

/** C = A B, of those blocks of rows whose numbers `claim` gives, until it gives null. */
export function multiplyBlocks(
  work: Workspace,
  a: Matrix,
  b: Matrix,
  c: { at: number; row: number },
  [m, n, k]: readonly [number, number, number],
  claim: Claim,
): void {
  packSecond(work, b, n, k);
  for (let block = claim(); block !== null; block = claim()) {
    const first = block * BLOCK_ROWS;
    const rows = Math.min(BLOCK_ROWS, m - first);
    const [from, to] = [a.at + 4 * first * a.row, c.at + 4 * first * c.row];
    multiplyRows(work, { ...a, at: from }, { at: to, row: c.row }, [rows, n, k], 1);
  }
}

function packSecond(work: Workspace, { at, row, column }: Matrix, n: number, k: number): void {
  const packed = work.scratch("b", Math.ceil(n / 8) * k * 32);
  pack(work, packed, { at, line: column, step: row, lines: n, k, width: 8, alpha: factorAt(work, 1) });
}

/** Rows of a product, of whose second factor the panels are there. */
function multiplyRows(
  work: Workspace,
  { at, row, column }: Matrix,
  c: { at: number; row: number },
  [m, n, k]: readonly [number, number, number],
  alpha: number,
): void {
  const mPanels = Math.ceil(m / 4);
  const nPanels = Math.ceil(n / 8);
  const packedA = work.scratch("a", mPanels * k * 16);
  const packedB = work.scratch("b", nPanels * k * 32);
  const whole = m % 4 === 0 && n % 8 === 0;
  const target = whole ? c.at : work.scratch("c", mPanels * nPanels * 128);
  const ldc = whole ? c.row : nPanels * 8;
  pack(work, packedA, { at, line: row, step: column, lines: m, k, width: 4, alpha: factorAt(work, alpha) });
  work.run.gemm(packedA, packedB, target, k, mPanels, nPanels, ldc * 4);
  if (whole) return;
  const heap = work.heap();
  for (let i = 0; i < m; i++) {
    const from = target / 4 + i * ldc;
    heap.copyWithin(c.at / 4 + i * c.row, from, from + n);
  }
}

/** The address of a number that loops read. */
function factorAt(work: Workspace, factor: number): number {
  const at = work.scratch("alpha", 16);
  work.heap()[at / 4] = factor;
  return at;
}

interface Lines {
  /** byte address of the first element */
  at: number;
  /** distance of lines, and of the k elements of a line, in elements */
  line: number;
  step: number;
  lines: number;
  k: number;
  /** lines of a panel, a multiple of 4 */
  width: number;
  /** address of the factor of every element */
  alpha: number;
}

/** Panels of `width` lines, element by element of k; the last panel is filled with zeros. */
function pack(work: Workspace, to: number, { at, line, step, lines, k, width, alpha }: Lines): void {
  const heap = work.heap();
  const factor = heap[alpha / 4];
  for (let first = 0; first < lines; first += width) {
    const used = Math.min(width, lines - first);
    const panel = to + 4 * first * k;
    const source = at + 4 * first * line;
    if (used < width) heap.fill(0, panel / 4, panel / 4 + width * k);
    let line0 = 0;
    for (; line0 + 4 <= used && (line === 1 || step === 1); line0 += 4) {
      const from = source + 4 * line0 * line;
      const target = panel + 4 * line0;
      if (line === 1) {
        work.run.packColumns(from, 4 * step, target, 4 * width, k, alpha);
        continue;
      }
      const blocks = k >> 2;
      if (blocks > 0) work.run.packRows(from, 4 * line, target, 4 * width, blocks, alpha);
      for (let i = 4 * blocks; i < k; i++) {
        for (let r = 0; r < 4; r++) heap[target / 4 + i * width + r] = heap[from / 4 + r * line + i] * factor;
      }
    }
    for (; line0 < used; line0++) {
      let from = source / 4 + line0 * line;
      for (let i = 0, d = panel / 4 + line0; i < k; i++, d += width, from += step) heap[d] = heap[from] * factor;
    }
  }
}
