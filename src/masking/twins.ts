/** Tokens from which another token's values can be guessed. */
import type { Field } from "../config/types.js";

/** How two tokens are near each other. */
export const TWIN_KINDS = ["level", "time", "place", "field"] as const;
export type TwinKind = (typeof TWIN_KINDS)[number];

/** A token of one sample: number of the field, number of the level in its list, token within the level. */
export interface Twin {
  field: number;
  level: number;
  token: number;
}

/** The twins, by kind and token [N], of every token of level number `l` of `field`; only those that exist. */
export function neighbourhood(fields: readonly Field[], field: Field, l: number): Record<TwinKind, Twin[][]> {
  const f = fields.indexOf(field);
  const [nt, ny, nx] = field.numTokens;
  const twins: Record<TwinKind, Twin[][]> = { level: [], time: [], place: [], field: [] };
  for (let t = 0; t < nt; t++) {
    for (let y = 0; y < ny; y++) {
      for (let x = 0; x < nx; x++) {
        const here = (t * ny + y) * nx + x;
        const own = (token: number): Twin => ({ field: f, level: l, token });
        twins.level.push(
          [l - 1, l + 1]
            .filter((level) => level >= 0 && level < field.L)
            .map((level) => ({ field: f, level, token: here })),
        );
        twins.time.push([t - 1, t + 1].filter((i) => i >= 0 && i < nt).map((i) => own((i * ny + y) * nx + x)));
        twins.place.push([
          ...[y - 1, y + 1].filter((i) => i >= 0 && i < ny).map((i) => own((t * ny + i) * nx + x)),
          ...[x - 1, x + 1].filter((i) => i >= 0 && i < nx).map((i) => own((t * ny + y) * nx + i)),
        ]);
        twins.field.push(twinsInOtherFields(fields, field, field.levels[l], [t, y, x]));
      }
    }
  }
  return twins;
}

/** In every other field with this level: the token that covers the centre of this one (fields may have other token grids). */
function twinsInOtherFields(fields: readonly Field[], field: Field, level: number, at: number[]): Twin[] {
  const twins: Twin[] = [];
  for (const [other, { levels, numTokens }] of fields.entries()) {
    const found = levels.indexOf(level);
    if (fields[other] === field || found < 0) continue;
    const [t, y, x] = at.map((i, axis) => Math.floor(((i + 0.5) * numTokens[axis]) / field.numTokens[axis]));
    twins.push({ field: other, level: found, token: (t * numTokens[1] + y) * numTokens[2] + x });
  }
  return twins;
}
