/** Plain-data types of masking. Letters as in `data/types.ts`; M masked tokens of a field in the batch, all levels. */

/** What was done to a token; bits of `MaskedField.kind`. */
export const TOKEN_KIND = { chosen: 1, masked: 2, noised: 4, coarsened: 8 } as const;

/** One field of a batch after masking. */
export interface MaskedField {
  name: string;
  L: number;
  B: number;
  N: number;
  D: number;
  /** [B, L, N, D] what the network sees (the reference's [B, L, nt, ny, nx, tt, ty, tx], flattened) */
  source: Float32Array;
  /** [B, L, N, 8] */
  infos: Float32Array;
  /** [M, D] the tokens before masking, levels one after the other */
  target: Float32Array;
  /** [M, D], 0 where the target is filled or missing; null if every point counts */
  valid: Uint8Array | null;
  /** per level: indices n + N*b, in target order */
  idx: Int32Array[];
  /** per level: masked tokens of each sample [B] */
  count: Int32Array[];
  /** per level, aligned with idx: bits of TOKEN_KIND */
  kind: Uint8Array[];
}

export interface MaskedBatch {
  fields: MaskedField[];
}

/** Where the tokens of one level lie in `source`: token n of sample b starts at `start + b*stride + n*D`. */
export interface LevelLayout {
  source: Float32Array;
  start: number;
  stride: number;
  B: number;
  N: number;
  tokenSize: readonly [tt: number, ty: number, tx: number];
}

/** Where a level's tokens begin in `source`, by their indices n + N*b. */
export function placeOf({ start, stride, N, tokenSize: [tt, ty, tx] }: LevelLayout): (token: number) => number {
  const D = tt * ty * tx;
  return (token) => {
    const b = Math.floor(token / N);
    return start + b * stride + (token - b * N) * D;
  };
}
