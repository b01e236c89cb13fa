/** Cutting a cube into tokens: [nt*tt, ny*ty, nx*tx] to [nt, ny, nx, tt, ty, tx]. */

/** Where each grid point of a cube goes: its place in the tokens is `time[t] + lat[y] + lon[x]`. */
export interface TokenLayout {
  /** [nt*tt] */
  time: Int32Array;
  /** [ny*ty] */
  lat: Int32Array;
  /** [nx*tx] */
  lon: Int32Array;
  /** values of all tokens of a cube */
  size: number;
}

/** @param numTokens [nt, ny, nx] @param tokenSize [tt, ty, tx] */
export function tokenLayout(
  [nt, ny, nx]: readonly [number, number, number],
  [tt, ty, tx]: readonly [number, number, number],
): TokenLayout {
  const D = tt * ty * tx;
  const axis = (tokens: number, size: number, tokenStride: number, pointStride: number) =>
    Int32Array.from({ length: tokens * size }, (_, i) => Math.floor(i / size) * tokenStride + (i % size) * pointStride);
  return {
    time: axis(nt, tt, ny * nx * D, ty * tx),
    lat: axis(ny, ty, nx * D, tx),
    lon: axis(nx, tx, D, 1),
    size: nt * ny * nx * D,
  };
}

/** A cube's values [time, lat, lon] as tokens [nt, ny, nx, tt, ty, tx]. */
export function tokenize(values: ArrayLike<number>, layout: TokenLayout): Float32Array {
  const out = new Float32Array(layout.size);
  let i = 0;
  for (const t of layout.time) for (const y of layout.lat) for (const x of layout.lon) out[t + y + x] = values[i++];
  return out;
}

/** The inverse of `tokenize`. */
export function untokenize(tokens: ArrayLike<number>, layout: TokenLayout): Float32Array {
  const out = new Float32Array(layout.size);
  let i = 0;
  for (const t of layout.time) for (const y of layout.lat) for (const x of layout.lon) out[i++] = tokens[t + y + x];
  return out;
}
