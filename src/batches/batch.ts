/** From a masked batch to what the step takes: plain arrays first (they can cross threads), then tensors. */
import * as tf from "@tensorflow/tfjs-core";
import type { PredictedField } from "../config/types.js";
import { AtmorepError } from "../errors.js";
import type { FieldTarget } from "../losses/total.js";
import type { MaskedBatch, MaskedField } from "../masking/types.js";
import { cos } from "../math/index.js";
import type { NetworkInputs } from "../model/types.js";

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

/** The same as tensors. */
export interface StepBatch {
  inputs: NetworkInputs;
  targets: FieldTarget[];
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

/**
 * Copies a batch into tensors, which `disposeBatch` releases. A field without hidden tokens gets one row that does not
 * count, since the WASM backend cannot hold tensors without elements.
 */
export function toTensors({ inputs, targets }: PlainBatch): StepBatch {
  const filled = targets.map((target) => (target.M === 0 ? standIn(target) : target));
  return {
    inputs: {
      fields: inputs.map(({ shape: [B, L, N, D], tokens, infos }) => ({
        tokens: tf.tensor(tokens, [B, L, N, D], "float32"),
        infos: tf.tensor(infos, [B, L, N, infos.length / (B * L * N)], "float32"),
      })),
      rows: filled.map(({ rows }) => tf.tensor1d(rows, "int32")),
    },
    targets: filled.map(({ M, D, target, valid, area }, p) => ({
      target: tf.tensor(target, [M, D], "float32"),
      valid: valid && tf.tensor(valid, [M, D], "float32"),
      area: area && tf.tensor(area, [M, D], "float32"),
      empty: targets[p].M === 0,
    })),
  };
}

function standIn({ name, D, area }: PlainTarget): PlainTarget {
  const zeros = () => new Float32Array(D);
  return { name, M: 1, D, rows: new Int32Array(1), target: zeros(), valid: zeros(), area: area && zeros().fill(1) };
}

/** Releases every tensor of a batch. */
export function disposeBatch({ inputs, targets }: StepBatch): void {
  for (const { tokens, infos } of inputs.fields) tf.dispose([tokens, infos]);
  tf.dispose(inputs.rows);
  for (const { target, valid, area } of targets) for (const tensor of [target, valid, area]) tensor?.dispose();
}
