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
  inTiles(layout, D, (tile) => addValues(tile, D, mean));
  for (let d = 0; d < D; d++) mean[d] /= n;
  inTiles(layout, D, (tile) => addSquares(tile, D, mean, squares));
  for (let d = 0; d < D; d++) squares[d] = Math.sqrt(squares[d] / (n - 1));
  return squares;
}

/**
 * Calls `visit` on a few tokens after the other, sample after sample, few enough to stay in the processor's nearest
 * cache. The order of the sums is that of the tokens, whatever the tiles.
 */
function inTiles({ source, start, stride, B, N }: LevelLayout, D: number, visit: (tile: Float32Array) => void): void {
  const size = Math.max(1, Math.floor(TILE / D)) * D;
  for (let b = 0; b < B; b++) {
    const sample = source.subarray(start + b * stride, start + b * stride + N * D);
    for (let i = 0; i < sample.length; i += size) visit(sample.subarray(i, i + size));
  }
}

/** Values in a tile. */
const TILE = 6144;

/** sums[d] += tile[., d], in the order of the tokens; four points side by side, their sums in registers. */
function addValues(tile: Float32Array, D: number, sums: Float64Array): void {
  let d = 0;
  for (; d + 4 <= D; d += 4) {
    let [p, q, r, s] = [sums[d], sums[d + 1], sums[d + 2], sums[d + 3]];
    for (let i = d; i < tile.length; i += D) {
      p += tile[i];
      q += tile[i + 1];
      r += tile[i + 2];
      s += tile[i + 3];
    }
    sums[d] = p;
    sums[d + 1] = q;
    sums[d + 2] = r;
    sums[d + 3] = s;
  }
  for (; d < D; d++) for (let i = d; i < tile.length; i += D) sums[d] += tile[i];
}

/** sums[d] += (tile[., d] - mean[d])^2, as `addValues`. */
function addSquares(tile: Float32Array, D: number, mean: Float64Array, sums: Float64Array): void {
  let d = 0;
  for (; d + 4 <= D; d += 4) {
    const [a, b, c, e] = [mean[d], mean[d + 1], mean[d + 2], mean[d + 3]];
    let [p, q, r, s] = [sums[d], sums[d + 1], sums[d + 2], sums[d + 3]];
    for (let i = d; i < tile.length; i += D) {
      const u = tile[i] - a;
      const v = tile[i + 1] - b;
      const w = tile[i + 2] - c;
      const x = tile[i + 3] - e;
      p += u * u;
      q += v * v;
      r += w * w;
      s += x * x;
    }
    sums[d] = p;
    sums[d + 1] = q;
    sums[d + 2] = r;
    sums[d + 3] = s;
  }
  for (; d < D; d++) for (let i = d; i < tile.length; i += D) sums[d] += (tile[i] - mean[d]) * (tile[i] - mean[d]);
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
