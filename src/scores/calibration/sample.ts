/**
 * Single points of an evaluation, drawn evenly: what post-hoc calibration is fitted to and judged on. Sums would not do,
 * and all points would not fit: each point is kept with the same probability, which halves whenever too many are kept.
 */
import type { ScoredPoint } from "../accumulate.js";
import { crpsOf } from "../ensemble.js";
import { membersAbove } from "../probability.js";
import { THRESHOLDS } from "../probabilityQuantity.js";
import { memberReader, type PointBatch } from "../quantity.js";
import type { Region } from "../regions.js";

/** About 16 MiB. */
const CAPACITY = 200_000;

/** Columns of a kept point; values in normalised units, of which one is `std` physical ones. */
const COLUMNS = ["time", "lead", "weight", "std", "target", "mean", "variance", "crps"] as const;

/** Kept points of one field and level, in the order in which they came; arrays of one length. */
export type SampledPoints = Record<(typeof COLUMNS)[number], Float64Array> & {
  field: string;
  level: number;
  /** members that reach each of `THRESHOLDS` */
  above: Float64Array[];
};

export interface CalibrationSample {
  observer: (batch: PointBatch) => (point: ScoredPoint, weight: number) => void;
  /** points that were offered, and how many are kept */
  counts(): { seen: number; kept: number };
  points(): SampledPoints[];
}

/** A hash of whole numbers (Chris Wellons' lowbias32), so that what is kept does not depend on the grid's rows. */
function hash(n: number): number {
  let x = n | 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return (x ^ (x >>> 15)) >>> 0;
}

export interface SampleOptions {
  /** members */
  E: number;
  /** levels of each field, for names */
  levels: Readonly<Record<string, readonly number[]>>;
  /** points elsewhere are left out; default: everywhere */
  region?: Region;
  /** most points that are kept */
  capacity?: number;
}

export function calibrationSample({ E, levels, region, capacity = CAPACITY }: SampleOptions): CalibrationSample {
  const width = COLUMNS.length + THRESHOLDS.length;
  const kept = new Map<string, { field: string; level: number; rows: number[]; hashes: number[] }>();
  let [seen, count, bound] = [0, 0, 2 ** 32];

  const thin = () => {
    bound /= 2;
    count = 0;
    for (const cell of kept.values()) {
      const stay = [...cell.hashes.keys()].filter((i) => cell.hashes[i] < bound);
      cell.rows = stay.flatMap((i) => cell.rows.slice(i * width, (i + 1) * width));
      cell.hashes = stay.map((i) => cell.hashes[i]);
      count += stay.length;
    }
  };

  const observer: CalibrationSample["observer"] = (batch) => {
    const { field, initialTime, target } = batch;
    const read = batch.members && memberReader(batch, E);
    const values = new Float64Array(E);
    return ({ at, l, lead, std, latitude, longitude }, weight) => {
      if (region && !region.contains(latitude, longitude)) return;
      const own = hash(seen++);
      if (own >= bound || !read) return;
      const mean = read(at, values);
      let variance = 0;
      for (const value of values) variance += ((value - mean) * (value - mean)) / Math.max(1, E - 1);
      const level = levels[field]?.[l] ?? l;
      const key = JSON.stringify([field, level]);
      const cell = kept.get(key) ?? { field, level, rows: [], hashes: [] };
      kept.set(key, cell);
      const above = THRESHOLDS.map(({ value }) => membersAbove(values, value));
      cell.rows.push(
        initialTime,
        lead,
        weight,
        std,
        target[at],
        mean,
        variance,
        crpsOf(values, target[at])[0],
        ...above,
      );
      cell.hashes.push(own);
      if (++count > capacity) thin();
    };
  };

  const column = (rows: readonly number[], k: number) =>
    Float64Array.from({ length: rows.length / width }, (_, i) => rows[i * width + k]);
  return {
    observer,
    counts: () => ({ seen, kept: count }),
    points: () =>
      [...kept.values()].map(({ field, level, rows }) => ({
        field,
        level,
        above: THRESHOLDS.map((_, k) => column(rows, COLUMNS.length + k)),
        ...(Object.fromEntries(COLUMNS.map((name, k) => [name, column(rows, k)])) as Pick<
          SampledPoints,
          (typeof COLUMNS)[number]
        >),
      })),
  };
}
