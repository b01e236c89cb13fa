/** Carries out a choice on the values of one level. */
import type { LevelChoice } from "./choice.js";
import { coarseSize, resample } from "./resample.js";
import { TOKEN_KIND } from "./types.js";

const NOISE_SCALE = 0.1;

/** Where the tokens of one level lie in `source`: token n of sample b starts at `start + b*stride + n*D`. */
export interface LevelLayout {
  source: Float32Array;
  start: number;
  stride: number;
  B: number;
  N: number;
  tokenSize: readonly [tt: number, ty: number, tx: number];
}

/**
 * Standard deviation (unbiased) of each grid point of a token over all tokens of a level.
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

/**
 * Masks, noises and coarsens the chosen tokens of `layout.source` in place, in this order, each on what the former left.
 * @param std [D] of the level before any masking; looked at only if tokens are noised
 * @param normals [noised tokens * D] standard normal numbers
 * @param maxFactor `BERT_mr_max`
 */
export function applyChoice(
  layout: LevelLayout,
  choice: LevelChoice,
  std: Float64Array,
  normals: Float32Array,
  maxFactor: number,
): void {
  const { source, start, stride, N, tokenSize } = layout;
  const [tt, ty, tx] = tokenSize;
  const D = tt * ty * tx;
  const small = choice.coarseDraw === null ? null : coarseSize([ty, tx], choice.coarseDraw, maxFactor);
  let noised = 0;
  for (let m = 0; m < choice.idx.length; m++) {
    const b = Math.floor(choice.idx[m] / N);
    const at = start + b * stride + (choice.idx[m] - b * N) * D;
    const kind = choice.kind[m];
    if (kind & TOKEN_KIND.masked) source.fill(0, at, at + D);
    if (kind & TOKEN_KIND.noised) {
      const keep = 1 - choice.noiseWeights[noised];
      for (let d = 0; d < D; d++) {
        source[at + d] = keep * source[at + d] + NOISE_SCALE * std[d] * normals[noised * D + d];
      }
      noised++;
    }
    if (kind & TOKEN_KIND.coarsened && small) {
      const coarse = resample(source.subarray(at, at + D), [ty, tx], small);
      source.set(resample(coarse, small, [ty, tx]), at);
    }
  }
}
