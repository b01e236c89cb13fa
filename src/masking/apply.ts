/** Carries out a choice on the values of one level. */
import type { LevelChoice } from "./choice.js";
import { coarseSize, resampler } from "./resample.js";
import { pointwiseStd } from "./spread.js";
import { type LevelLayout, placeOf, TOKEN_KIND } from "./types.js";

/** Noise is a normal number times this share of its point's spread. */
export const NOISE_SCALE = 0.1;

/** Fills an array with the next normal numbers. */
export type DrawNormals = (into: Float32Array) => void;

/**
 * Masks, noises and coarsens the chosen tokens of a level in place, in this order, each on what the former left.
 * `TokenKernel` and `coarsenTokens` do the same where no token is chosen twice.
 * @param draw null: no token is noised
 * @param maxFactor `BERT_mr_max`
 */
export function applyChoice(
  layout: LevelLayout,
  choice: LevelChoice,
  draw: DrawNormals | null,
  maxFactor: number,
): void {
  const { source, tokenSize } = layout;
  const D = tokenSize[0] * tokenSize[1] * tokenSize[2];
  const place = placeOf(layout);
  const coarsen = choice.coarseDraw === null ? null : coarsening(tokenSize, choice.coarseDraw, maxFactor);
  const scales = draw ? pointwiseStd(layout).map((value) => NOISE_SCALE * value) : new Float64Array(0);
  const normals = new Float32Array(choice.noiseWeights.length * D);
  draw?.(normals);
  let noised = 0;
  for (let m = 0; m < choice.idx.length; m++) {
    const at = place(choice.idx[m]);
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

/** Coarsens the tokens of a level that are to be. */
export function coarsenTokens(layout: LevelLayout, { idx, kind, coarseDraw }: LevelChoice, maxFactor: number): void {
  if (coarseDraw === null) return;
  const coarsen = coarsening(layout.tokenSize, coarseDraw, maxFactor);
  const place = placeOf(layout);
  for (let m = 0; m < idx.length; m++) if (kind[m] & TOKEN_KIND.coarsened) coarsen(layout.source, place(idx[m]));
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
