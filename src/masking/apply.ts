/** Carries out a choice on the values of one level. */
import type { LevelChoice } from "./choice.js";
import { coarseSize, resampler } from "./resample.js";
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
  const coarsen = choice.coarseDraw === null ? null : coarsening(tokenSize, choice.coarseDraw, maxFactor);
  const scales = std.map((value) => NOISE_SCALE * value);
  let noised = 0;
  for (let m = 0; m < choice.idx.length; m++) {
    const b = Math.floor(choice.idx[m] / N);
    const at = start + b * stride + (choice.idx[m] - b * N) * D;
    const kind = choice.kind[m];
    if (kind & TOKEN_KIND.masked) source.fill(0, at, at + D);
    if (kind & TOKEN_KIND.noised) {
      const keep = 1 - choice.noiseWeights[noised];
      for (let d = 0; d < D; d++) {
        source[at + d] = keep * source[at + d] + scales[d] * normals[noised * D + d];
      }
      noised++;
    }
    if (kind & TOKEN_KIND.coarsened) coarsen?.(source, at);
  }
}

/** Takes a token of `x` to a coarser grid and back, in place. */
function coarsening([tt, ty, tx]: LevelLayout["tokenSize"], draw: number, maxFactor: number) {
  const small = coarseSize([ty, tx], draw, maxFactor);
  const coarse = new Float32Array(tt * small[0] * small[1]);
  const [down, up] = [resampler([ty, tx], small), resampler(small, [ty, tx])];
  return (x: Float32Array, at: number): void => {
    down(x, at, coarse, 0, tt);
    up(coarse, 0, x, at, tt);
  };
}
