/** Planes `[lat, lon]` of variables whose dimensions stand in any order. */
import { AtmorepError } from "../../errors.js";
import { stridesOf } from "../zarr/array.js";
import { ChunkCache, PARTS_BYTES } from "./cache.js";
import type { RawValues, RawVariable, ReadOptions } from "./types.js";

const BLOCK_BYTES = 32 * 2 ** 20;

/**
 * Reads planes at an index of every axis (those of `lat` and `lon` do not count). Where another axis runs faster than
 * one of them, several planes are read at once: one alone would touch the whole file.
 * @returns values `[lat, lon]`, unpacked
 */
export function planeReader(
  raw: RawVariable,
  { lat, lon }: { lat: number; lon: number },
  unpack: (values: RawValues) => Float64Array,
  where: string,
  { parts = new ChunkCache(PARTS_BYTES) }: ReadOptions = {},
): (at: readonly number[]) => Promise<Float64Array> {
  const { shape } = raw;
  const inner = shape.findLastIndex((_, axis) => axis !== lat && axis !== lon && axis > Math.min(lat, lon));
  const size = shape[lat] * shape[lon];
  const together = inner < 0 ? 1 : Math.max(1, Math.min(shape[inner], Math.floor(BLOCK_BYTES / (size * 8))));
  const cache = parts as ChunkCache<Float64Array>;
  return async (at) => {
    const start = at.map((index, axis) => {
      if (axis === lat || axis === lon) return 0;
      return axis === inner ? index - (index % together) : index;
    });
    const count = shape.map((n, axis) => {
      if (axis === lat || axis === lon) return n;
      return axis === inner ? Math.min(together, n - start[axis]) : 1;
    });
    const load = async () => unpack(await raw.read(start, count));
    if (inner < 0 && lat < lon) return load();
    const block = inner < 0 ? await load() : await cache.get(`${where} ${start.join(".")}`, load);
    const stride = stridesOf(count);
    const first = inner < 0 ? 0 : (at[inner] - start[inner]) * stride[inner];
    const out = new Float64Array(size);
    let o = 0;
    for (let y = 0; y < shape[lat]; y++) {
      for (let x = 0; x < shape[lon]; x++) out[o++] = block[first + y * stride[lat] + x * stride[lon]];
    }
    return out;
  };
}

/**
 * The values of the versions (`expver`) of one plane: ERA5 and its preliminary months (ERA5T) stand side by side, each
 * with missing values where the other one has them.
 * @throws AtmorepError (input) where two versions have different values
 */
export function mergeVersions(planes: readonly Float64Array[], where: string): Float64Array {
  const out = Float64Array.from(planes[0]);
  for (const plane of planes.slice(1)) {
    for (let i = 0; i < out.length; i++) {
      if (Number.isNaN(plane[i]) || plane[i] === out[i]) continue;
      if (Number.isNaN(out[i])) out[i] = plane[i];
      else {
        throw new AtmorepError("input", "two versions (expver) of a point differ", {
          where,
          found: `${out[i]} and ${plane[i]} at point ${i}`,
          expected: "each point in one version, or the same value in all",
          fix: "Keep one version: ds.sel(expver=1) in xarray, or cdo",
        });
      }
    }
  }
  return out;
}

/** True if the last column repeats the first one, 360 degrees on. */
export function isCyclic(lons: Float64Array): boolean {
  const n = lons.length;
  if (n < 4) return false;
  const step = Math.abs(lons[1] - lons[0]);
  return Math.abs(Math.abs(lons[n - 1] - lons[0]) - 360) < 0.01 * step;
}

/** The plane without its last column. @throws AtmorepError (input) if that does not repeat the first one */
export function withoutCyclic(plane: Float64Array, columns: number, where: string): Float64Array {
  const rows = plane.length / columns;
  const out = new Float64Array(rows * (columns - 1));
  for (let y = 0; y < rows; y++) {
    const row = plane.subarray(y * columns, (y + 1) * columns);
    if (!Object.is(row[0] + 0, row[columns - 1] + 0)) {
      throw new AtmorepError("input", "the last longitude is the first one again, with another value", {
        where,
        found: `${row[0]} and ${row[columns - 1]} in row ${y}`,
        expected: "the same values 360 degrees on",
        fix: "Leave one of the two columns out of the file",
      });
    }
    out.set(row.subarray(0, columns - 1), y * (columns - 1));
  }
  return out;
}
