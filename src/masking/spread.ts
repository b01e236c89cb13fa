/** The spread of each grid point of a token over a level, by which noise is scaled. */
import type { LevelLayout } from "./types.js";

/**
 * Standard deviation (unbiased) of each grid point of a token over all tokens of a level. `TokenKernel` gives the same, bit
 * for bit.
 * @returns [D]; zeros for a single token
 */
export function pointwiseStd(layout: LevelLayout): Float64Array {
  const D = layout.tokenSize[0] * layout.tokenSize[1] * layout.tokenSize[2];
  const squares = new Float64Array(D);
  const n = layout.B * layout.N;
  if (n < 2) return squares;
  const mean = new Float64Array(D);
  const { source, start, stride, B, N } = layout;
  for (let b = 0; b < B; b++) addValues(source, start + b * stride, N, D, mean);
  for (let d = 0; d < D; d++) mean[d] /= n;
  for (let b = 0; b < B; b++) addSquares(source, start + b * stride, N, D, mean, squares);
  for (let d = 0; d < D; d++) squares[d] = Math.sqrt(squares[d] / (n - 1));
  return squares;
}

/** sums[d] += x[from + n*D + d], in the order of the tokens; eight of them at once, their sum in a register. */
function addValues(x: Float32Array, from: number, N: number, D: number, sums: Float64Array): void {
  let n = 0;
  for (; n + 8 <= N; n += 8) {
    const a = from + n * D;
    const [b, c, e, f, g, h, i] = [a + D, a + 2 * D, a + 3 * D, a + 4 * D, a + 5 * D, a + 6 * D, a + 7 * D];
    for (let d = 0; d < D; d++) {
      sums[d] = sums[d] + x[a + d] + x[b + d] + x[c + d] + x[e + d] + x[f + d] + x[g + d] + x[h + d] + x[i + d];
    }
  }
  for (; n < N; n++) for (let d = 0; d < D; d++) sums[d] += x[from + n * D + d];
}

/** sums[d] += (x[from + n*D + d] - mean[d])^2, as `addValues`. */
function addSquares(x: Float32Array, from: number, N: number, D: number, mean: Float64Array, sums: Float64Array): void {
  let n = 0;
  for (; n + 4 <= N; n += 4) {
    const a = from + n * D;
    const [b, c, e] = [a + D, a + 2 * D, a + 3 * D];
    for (let d = 0; d < D; d++) {
      const m = mean[d];
      const p = x[a + d] - m;
      const q = x[b + d] - m;
      const r = x[c + d] - m;
      const s = x[e + d] - m;
      sums[d] = sums[d] + p * p + q * q + r * r + s * s;
    }
  }
  for (; n < N; n++) {
    for (let d = 0; d < D; d++) {
      const p = x[from + n * D + d] - mean[d];
      sums[d] += p * p;
    }
  }
}
