/**
 * Where a value of a cube lies. Letters as in `data/types.ts`; a place is a token's position in latitude and
 * longitude (ny*nx of them), a step is a time step of the cube (nt*tt of them), a point is a grid point within a
 * token's horizontal patch (ty*tx of them).
 */
import type { CubeBatch, FieldCube } from "../data/types.js";
import { AtmorepError } from "../errors.js";
import type { MaskedBatch, MaskedField } from "../masking/types.js";

export interface Layout {
  L: number;
  B: number;
  nt: number;
  ny: number;
  nx: number;
  tt: number;
  ty: number;
  tx: number;
  /** tokens a level, nt*ny*nx */
  N: number;
  /** grid points a token, tt*ty*tx */
  D: number;
  /** ny*nx */
  places: number;
  /** ty*tx */
  points: number;
  /** nt*tt */
  steps: number;
}

export function layoutOf({ shape }: Pick<FieldCube, "shape">): Layout {
  const [L, B, nt, ny, nx, tt, ty, tx] = shape;
  const places = ny * nx;
  const points = ty * tx;
  return { L, B, nt, ny, nx, tt, ty, tx, N: nt * places, D: tt * points, places, points, steps: nt * tt };
}

/** Index into `FieldCube.tokens` of level l, sample b, step, place, point. */
export function valueIndex(g: Layout, l: number, b: number, step: number, place: number, point: number): number {
  const token = Math.floor(step / g.tt) * g.places + place;
  return ((l * g.B + b) * g.N + token) * g.D + (step % g.tt) * g.points + point;
}

/** [L, B, N], 1 where a token was chosen by the strategy: its values are hidden from baselines, whatever its kind. */
export function hiddenTokens(g: Layout, masked: MaskedField): Uint8Array {
  const hidden = new Uint8Array(g.L * g.B * g.N);
  masked.idx.forEach((idx, l) => {
    for (const i of idx) hidden[l * g.B * g.N + i] = 1;
  });
  return hidden;
}

/** Row m of `MaskedField.target`: level index, sample, token it stands for, and what was done to it (TOKEN_KIND). */
export interface TargetToken {
  m: number;
  l: number;
  b: number;
  n: number;
  bits: number;
}

/** The chosen tokens of a field in the order of its targets: levels one after the other. */
export function* targetTokens(masked: MaskedField): Generator<TargetToken> {
  let m = 0;
  for (let l = 0; l < masked.idx.length; l++) {
    const idx = masked.idx[l];
    for (let j = 0; j < idx.length; j++) {
      yield { m, l, b: Math.floor(idx[j] / masked.N), n: idx[j] % masked.N, bits: masked.kind[l][j] };
      m++;
    }
  }
}

/**
 * A field before and after masking, by name.
 * @throws {AtmorepError} `failed` when the field is in neither or the two do not belong together
 */
export function pairOf(cube: CubeBatch, masked: MaskedBatch, field: string): { cube: FieldCube; masked: MaskedField } {
  const before = cube.fields.find(({ name }) => name === field);
  const after = masked.fields.find(({ name }) => name === field);
  if (!before || !after) {
    throw new AtmorepError("failed", "field is not in the batch", {
      where: `scores, field ${field}`,
      found: (before ? masked : cube).fields.map(({ name }) => name),
      fix: "Score fields of the configuration only.",
    });
  }
  const g = layoutOf(before);
  if (g.L !== after.L || g.B !== after.B || g.N !== after.N || g.D !== after.D) {
    throw new AtmorepError("failed", "cube and masked batch differ in shape", {
      where: `scores, field ${field}`,
      found: { L: after.L, B: after.B, N: after.N, D: after.D },
      expected: `L ${g.L}, B ${g.B}, N ${g.N}, D ${g.D}`,
      fix: "Pass the cube from which the masked batch was made.",
    });
  }
  return { cube: before, masked: after };
}
