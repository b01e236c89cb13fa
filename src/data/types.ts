/**
 * Plain-data types of batch preparation.
 * Letters: B batch, L levels, nt ny nx tokens, N = nt*ny*nx, tt ty tx grid points of a token, D = tt*ty*tx.
 */

/** A batch's choice of time and places, before any value is read. */
export interface Draw {
  /** time index i: the cube ends just before it */
  timeIndex: number;
  /** [B] of (degrees from the North pole, degrees East), rounded to the grid */
  places: [lat: number, lon: number][];
}

/** Indices into the store's axes of one sample's window; `lon` may wrap around on a global store. */
export interface Window {
  time: Int32Array;
  lat: Int32Array;
  lon: Int32Array;
}

/** One field of a batch before masking. */
export interface FieldCube {
  name: string;
  /** [L, B, nt, ny, nx, tt, ty, tx], normalised; level first, as the reference's sampler gives it */
  tokens: Float32Array;
  shape: [L: number, B: number, nt: number, ny: number, nx: number, tt: number, ty: number, tx: number];
  /** [L, B, N, 8] */
  infos: Float32Array;
  /** same shape as tokens, 0 where a point is filled or missing; null if every point counts */
  valid: Uint8Array | null;
}

/** One batch before masking. */
export interface CubeBatch {
  draw: Draw;
  windows: Window[];
  fields: FieldCube[];
}

/** One field of a batch before masking, the samples first as the network takes them. */
export interface FieldSamples {
  name: string;
  /** [B, L, nt, ny, nx, tt, ty, tx], normalised */
  tokens: Float32Array;
  shape: [B: number, L: number, nt: number, ny: number, nx: number, tt: number, ty: number, tx: number];
  /** [B, L, N, 8] */
  infos: Float32Array;
  /** same shape as tokens, 0 where a point is filled or missing; null if every point counts */
  valid: Uint8Array | null;
}

/** One batch before masking, the samples first: what training reads, and masks in place. */
export interface SampleBatch {
  draw: Draw;
  windows: Window[];
  fields: FieldSamples[];
}
