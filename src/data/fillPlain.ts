/** The loops of `fill` in plain TypeScript: for chunks that lie in no memory of WebAssembly, and what its loop is held to. */
import { ROW, RUN } from "./fillLoop.js";
import type { FillPlan } from "./fillPlan.js";
import type { Values } from "./zarr/array.js";

/** Mean and standard deviation of each point of the store, or one for all. */
export interface Norm {
  mean: Values;
  std: Values;
  local: boolean;
}

/**
 * One time of one level.
 * @param from where its plane begins in `values`, `to` where its points of the time begin in `out`
 * @returns 0 unless a result is NaN or infinite
 */
export function fillPlain(
  values: Values,
  from: number,
  out: Float32Array,
  to: number,
  { rows, runs }: FillPlan,
  norm: Norm,
): number {
  let bad = 0;
  for (let y = 0; y < rows.length; y += ROW) {
    bad += norm.local
      ? copyRowLocal(values, from + rows[y], out, to + rows[y + 2], runs, norm.mean, norm.std, rows[y + 1])
      : copyRow(values, from + rows[y], out, to + rows[y + 2], runs, norm.mean[0], norm.std[0]);
  }
  return bad;
}

/** A row with one mean and one standard deviation, kept free of look-ups. */
function copyRow(
  values: Values,
  fromRow: number,
  out: Float32Array,
  toRow: number,
  runs: Int32Array,
  mean: number,
  std: number,
): number {
  let bad = 0;
  for (let r = 0; r < runs.length; r += RUN) {
    const from = fromRow + runs[r + 1];
    const to = toRow + runs[r + 3];
    const length = runs[r];
    for (let x = 0; x < length; x++) {
      const value = Math.fround((values[from + x] - mean) / std);
      bad += value - value;
      out[to + x] = value;
    }
  }
  return bad;
}

/** The same with a mean and a standard deviation of each point: `normRow` is where the row's begin. */
function copyRowLocal(
  values: Values,
  fromRow: number,
  out: Float32Array,
  toRow: number,
  runs: Int32Array,
  mean: Values,
  std: Values,
  normRow: number,
): number {
  let bad = 0;
  for (let r = 0; r < runs.length; r += RUN) {
    const from = fromRow + runs[r + 1];
    const norm = normRow + runs[r + 2];
    const to = toRow + runs[r + 3];
    const length = runs[r];
    for (let x = 0; x < length; x++) {
      const value = Math.fround((values[from + x] - mean[norm + x]) / std[norm + x]);
      bad += value - value;
      out[to + x] = value;
    }
  }
  return bad;
}
