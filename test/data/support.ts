/** Small stores for tests of the data room. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { FieldEntry, RunConfig } from "../../src/config/types.js";
import { createArray, writeGroup, writeSmallArray, writeStore } from "../../src/data/zarr/write.js";

export const STORM = fileURLToPath(new URL("../../assets/storm_199601.zarr", import.meta.url));
export const GOLDEN_STORE = fileURLToPath(new URL("../golden/store.zarr.zip", import.meta.url));

/** A folder that `remove` takes away. */
export function temporaryFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), "atmorep-data-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export interface TinyOptions {
  steps?: number;
  levels?: number[];
  rows?: number;
  columns?: number;
  res?: [number, number];
  lat0?: number;
  lon0?: number;
  isGlobal?: 0 | 1;
  /** [time, field, level, lat, lon] */
  chunks?: [number, number, number, number, number];
  format?: 2 | 3;
  attrs?: Record<string, unknown>;
  /** first time in hours since 1970 and hours between steps */
  start?: number;
  stepHours?: number;
  /** all times in hours since 1970, in place of `steps`, `start` and `stepHours` */
  hours?: number[];
  /** changes a value before it is written */
  edit?: (value: number, t: number, f: number, l: number, y: number, x: number) => number;
  /** month, statistic -> value of the local normalisation at a point */
  norm?: (month: number, statistic: number, y: number, x: number) => number;
}

/** The value that a tiny store holds: every index can be read off it. */
export const tinyValue = (t: number, f: number, l: number, y: number, x: number) =>
  t * 100 + f * 37 + l * 11 + y * 0.5 + x * 0.03125;

/** Writes a store of two fields `a`, `b` with normalisation; 2022-01-01 00 UTC is hour 455832. */
export async function tinyStore(path: string, options: TinyOptions = {}): Promise<string> {
  const {
    steps = options.hours?.length ?? 12,
    levels = [1, 2],
    rows = 9,
    columns = 12,
    res = [1, 1],
    lat0 = 30,
    lon0 = 10,
    isGlobal = 0,
  } = options;
  const { chunks = [4, 2, levels.length, rows, columns], format = 2, start = 455_832, stepHours = 6 } = options;
  const { edit = (v: number) => v, norm = (m, s, y, x) => (s === 0 ? m + y * 0.1 : 2 + x * 0.25) } = options;
  const F = 2;
  const shape = [steps, F, levels.length, rows, columns];
  await writeStore(path, async (sink) => {
    const attrs = { fields: ["a", "b"], fields_sfc: [], levels, res, is_global: isGlobal, ...options.attrs };
    await writeGroup(sink, "", attrs, format);
    await writeGroup(sink, "normalization", undefined, format);
    const small = (name: string, dims: number[], values: Float32Array) =>
      writeSmallArray(sink, { name, shape: dims, dtype: "<f4" }, values, format);
    await small(
      "lats",
      [rows],
      Float32Array.from({ length: rows }, (_, i) => lat0 + i * res[0]),
    );
    await small(
      "lons",
      [columns],
      Float32Array.from({ length: columns }, (_, i) => lon0 + i * res[1]),
    );
    const hours = BigInt64Array.from({ length: steps }, (_, i) => BigInt(options.hours?.[i] ?? start + i * stepHours));
    if (format === 2) await writeSmallArray(sink, { name: "time", shape: [steps], dtype: "<M8[h]" }, hours);
    else await writeTimesV3(sink, hours);
    const globals = new Float32Array(12 * 2 * F * levels.length);
    const locals = new Float32Array(globals.length * rows * columns);
    let g = 0;
    let o = 0;
    for (let m = 0; m < 12; m++)
      for (let s = 0; s < 2; s++)
        for (let f = 0; f < F; f++)
          for (let l = 0; l < levels.length; l++) {
            globals[g++] = s === 0 ? m + f : 2 + l;
            for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++) locals[o++] = norm(m, s, y, x);
          }
    await small("normalization/global_norm", [12, 2, F, levels.length], globals);
    await small("normalization/norm", [12, 2, F, levels.length, rows, columns], locals);
    const write = await createArray(sink, { name: "data", shape, chunks, dtype: "<f4" }, format);
    for (const coords of grid(shape.map((n, i) => Math.ceil(n / chunks[i])))) {
      const values = new Float32Array(chunks.reduce((a, b) => a * b, 1));
      let i = 0;
      for (const at of grid(chunks)) {
        const [t, f, l, y, x] = at.map((p, axis) => p + coords[axis] * chunks[axis]);
        values[i++] = edit(tinyValue(t, f, l, y, x), t, f, l, y, x);
      }
      await write(coords, values);
    }
  });
  return path;
}

async function writeTimesV3(
  sink: { put(key: string, bytes: Uint8Array | string): Promise<void> },
  hours: BigInt64Array,
): Promise<void> {
  const metadata = {
    zarr_format: 3,
    node_type: "array",
    shape: [hours.length],
    data_type: { name: "numpy.datetime64", configuration: { unit: "h", scale_factor: 1 } },
    chunk_grid: { name: "regular", configuration: { chunk_shape: [hours.length] } },
    chunk_key_encoding: { name: "default", configuration: { separator: "/" } },
    fill_value: "NaT",
    codecs: [{ name: "bytes", configuration: { endian: "little" } }],
    attributes: {},
  };
  await sink.put("time/zarr.json", JSON.stringify(metadata));
  await sink.put("time/c/0", new Uint8Array(hours.buffer));
}

/** All index tuples of a shape, in C order. */
export function* grid(shape: readonly number[]): Generator<number[]> {
  const at = shape.map(() => 0);
  for (;;) {
    yield [...at];
    let axis = shape.length - 1;
    for (; axis >= 0 && ++at[axis] === shape[axis]; axis--) at[axis] = 0;
    if (axis < 0) return;
  }
}

export const FIELD_A: FieldEntry = ["a", [1, 16, [], 0], [1, 2], [2, 3, 2], [2, 2, 3], [0.5, 0.9, 0.2, 0.05]];

/** What the data room reads of a configuration, for the tiny store. */
export type DataConfig = Pick<
  RunConfig,
  | "fields"
  | "n_size"
  | "time_sampling"
  | "missing_values"
  | "token_infos_transformation"
  | "years_train"
  | "years_val"
  | "dates_train"
  | "dates_val"
  | "month"
  | "geo_range_sampling"
  | "num_samples_per_epoch"
  | "num_samples_validate"
  | "samples_per_time"
  | "batch_size"
  | "batch_size_validation"
  | "rng_seed"
>;

export function dataConfig(change: Partial<DataConfig> = {}): DataConfig {
  return {
    fields: [FIELD_A],
    n_size: [4, 6, 6],
    time_sampling: 1,
    missing_values: "error",
    token_infos_transformation: null,
    years_train: [2022],
    years_val: [2022],
    dates_train: null,
    dates_val: null,
    month: null,
    geo_range_sampling: [
      [-90, 90],
      [0, 360],
    ],
    num_samples_per_epoch: 24,
    num_samples_validate: 6,
    samples_per_time: 4,
    batch_size: 3,
    batch_size_validation: 2,
    rng_seed: 5,
    ...change,
  };
}
