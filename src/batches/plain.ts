/** A masked batch as the network and the losses take it, in plain arrays: they can cross threads. */
import type { PredictedField } from "../config/types.js";
import { AtmorepError } from "../errors.js";
import type { MaskedBatch, MaskedField } from "../masking/types.js";
import { cos } from "../math/index.js";

export interface PlainInput {
  shape: [B: number, L: number, N: number, D: number];
  /** [B, L, N, D] */
  tokens: Float32Array;
  /** [B, L, N, 8] */
  infos: Float32Array;
}

export interface PlainTarget {
  name: string;
  M: number;
  D: number;
  /** [M] row (b*L + l)*N + n of each hidden token, levels one after the other */
  rows: Int32Array;
  /** [M, D]; 0 where a point does not count */
  target: Float32Array;
  /** [M, D] of 0 and 1; null: every point counts */
  valid: Float32Array | null;
  /** [M, D] cosine of latitude; null if not asked for */
  area: Float32Array | null;
}

/** A batch as plain arrays: every field's input, every predicted field's target. */
export interface PlainBatch {
  samples: number;
  inputs: PlainInput[];
  targets: PlainTarget[];
}

/**
 * @param masked fields in the order of the configuration
 * @param lats per sample, the store's `lats` (degrees from the North pole) of the window's rows [ny*ty]; given only if
 *   a loss reads the latitudes
 * @throws AtmorepError `failed` if a predicted field is not in the batch, or the window has other rows than the tokens
 */
export function plainBatch(
  masked: MaskedBatch,
  predicted: readonly PredictedField[],
  lats: readonly ArrayLike<number>[] | null = null,
): PlainBatch {
  return {
    samples: masked.fields[0].B,
    inputs: masked.fields.map(({ B, L, N, D, source, infos }) => ({ shape: [B, L, N, D], tokens: source, infos })),
    targets: predicted.map((entry) => plainTarget(masked, entry, lats)),
  };
}

function plainTarget(
  masked: MaskedBatch,
  { field }: PredictedField,
  lats: readonly ArrayLike<number>[] | null,
): PlainTarget {
  const found = masked.fields.find(({ name }) => name === field.name);
  if (!found) throw new AtmorepError("failed", "predicted field is not in the batch", { where: field.name });
  const { D } = found;
  const rows = targetRows(found);
  const valid = found.valid?.includes(0) ? Float32Array.from(found.valid) : null;
  const target = valid ? found.target.map((value, i) => (valid[i] === 0 ? 0 : value)) : found.target;
  const area = lats ? cosLatitudes(found, field.numTokens, field.tokenSize, rows, lats) : null;
  return { name: field.name, M: rows.length, D, rows, target, valid, area };
}

/** Row (b*L + l)*N + n of each hidden token, from the indices n + N*b of each level. */
export function targetRows({ L, N, idx }: Pick<MaskedField, "L" | "N" | "idx">): Int32Array {
  const rows = new Int32Array(idx.reduce((sum, level) => sum + level.length, 0));
  let m = 0;
  for (const [l, level] of idx.entries()) {
    for (const index of level) {
      const b = Math.floor(index / N);
      rows[m++] = (b * L + l) * N + (index - b * N);
    }
  }
  return rows;
}

function cosLatitudes(
  { name, L, N, D }: MaskedField,
  [, ny, nx]: readonly number[],
  [, ty, tx]: readonly number[],
  rows: Int32Array,
  lats: readonly ArrayLike<number>[],
): Float32Array {
  const cosines = lats.map((sample) => Float32Array.from(sample, (lat) => cos(((90 - lat) * Math.PI) / 180)));
  for (const [b, { length }] of cosines.entries()) {
    if (length === ny * ty) continue;
    const where = `${name}, sample ${b}`;
    throw new AtmorepError("failed", "latitudes do not fit the tokens", {
      where,
      found: length,
      expected: `${ny * ty}`,
    });
  }
  const area = new Float32Array(rows.length * D);
  for (const [m, row] of rows.entries()) {
    const sample = cosines[Math.floor(row / (L * N))];
    const firstRow = (Math.floor((row % N) / nx) % ny) * ty;
    for (let k = 0; k < D; k++) area[m * D + k] = sample[firstRow + (Math.floor(k / tx) % ty)];
  }
  return area;
}
