/** What an import writes besides its values: axes, metadata, the global normalisation. The root comes last: without it nothing opens as a store. */
import { AtmorepError } from "../../errors.js";
import { globalNumbers, writeEmptyMonths } from "../normalization/globals.js";
import { product } from "../zarr/array.js";
import { chunkWriter, type StoreSink, writeArrayMetadata, writeGroup, writeSmallArray } from "../zarr/write.js";
import type { Layout } from "./layout.js";
import type { UnitResult } from "./unit.js";

/** All that the metadata tell, as JSON holds it. */
export interface ImportLayout extends Layout {
  /** since 1970 */
  seconds: number[];
  /** rows of the normalisation */
  months: number;
  lats: number[];
  lons: number[];
  fields: string[];
  levels: number[];
  fieldsSfc: string[];
  /** root attributes, with `filled` to come after the key `filledAfter` */
  before: Record<string, unknown>;
  after: Record<string, unknown>;
}

/** Steps that were filled, by field, or field and level. */
export type Filled = Record<string, number[]>;

export interface Written {
  filled: Filled;
  /** share of values that are NaN, by field, or field and level, where there are any */
  missing: Record<string, number>;
}

/** Names of the channels of an array, as messages and attributes have them. */
const namesOf = ({ fields, levels, fieldsSfc }: ImportLayout, array: "data" | "data_sfc"): string[] =>
  array === "data" ? fields.flatMap((name) => levels.map((level) => `${name} ${level}`)) : fieldsSfc;

/** @throws AtmorepError (input) if a field has no value at all */
export function writtenOf(layout: ImportLayout, results: readonly UnitResult[]): Written {
  const written: Written = { filled: {}, missing: {} };
  const size = layout.seconds.length * layout.lats.length * layout.lons.length;
  for (const array of ["data", "data_sfc"] as const) {
    const names = namesOf(layout, array);
    const missing = names.map(() => 0);
    const filled = names.map((): number[] => []);
    for (const { channels } of results.filter((result) => result.array === array)) {
      for (const entry of channels) {
        missing[entry.channel] += entry.missing;
        for (const step of entry.filled) filled[entry.channel].push(step);
      }
    }
    for (const [channel, name] of names.entries()) {
      if (missing[channel] === size) {
        throw new AtmorepError("input", "a field has no value at all", {
          where: name,
          found: "nothing but missing values",
          fix: "Look at _FillValue, missing_value and valid_range of the variable, or leave it out",
        });
      }
      if (missing[channel] > 0) written.missing[name] = missing[channel] / size;
      if (filled[channel].length > 0) written.filled[name] = filled[channel].sort((a, b) => a - b);
    }
  }
  return written;
}

export async function finishImport(
  layout: ImportLayout,
  results: readonly UnitResult[],
  sink: StoreSink,
): Promise<void> {
  const { filled } = writtenOf(layout, results);
  const consolidated = new Map<string, unknown>();
  const recording: StoreSink = {
    async put(key, bytes) {
      if (typeof bytes === "string") consolidated.set(key, JSON.parse(bytes));
      await sink.put(key, bytes);
    },
  };
  const { compressor, lats, lons, seconds, months } = layout;
  const stamps = BigInt64Array.from(seconds, BigInt);
  await writeSmallArray(recording, { name: "time", shape: [seconds.length], dtype: "<M8[s]", compressor }, stamps);
  for (const [name, axis] of [["lats", lats] as const, ["lons", lons] as const]) {
    await writeSmallArray(recording, { name, shape: [axis.length], dtype: "<f4", compressor }, Float32Array.from(axis));
  }
  await writeGroup(recording, "normalization");
  for (const array of ["data", "data_sfc"] as const) {
    const chunks = layout[array];
    if (chunks === null) continue;
    const dims = array === "data" ? [layout.fields.length, layout.levels.length] : [layout.fieldsSfc.length];
    const grid = [lats.length, lons.length] as [number, number];
    await writeArrayMetadata(recording, {
      name: array,
      shape: [seconds.length, ...dims, ...grid],
      chunks,
      dtype: "<f4",
      compressor,
    });
    const suffix = array === "data" ? "" : "_sfc";
    const norm = {
      name: `normalization/norm${suffix}`,
      shape: [months, 2, ...dims, ...grid],
      chunks: [1, 2, ...chunks.slice(1)],
      dtype: "<f4" as const,
      ...(layout.asked ? { compressor, absent: "NaN" as const } : {}),
    };
    await writeArrayMetadata(recording, norm);
    const own = results.filter((result) => result.array === array);
    if (!layout.asked) {
      const written = new Set(own.map(({ month }) => month));
      await writeEmptyMonths(chunkWriter(recording, norm), months, written, [dims, grid]);
    }
    const globals = globalNumbers(own, months, product(dims));
    await writeSmallArray(
      recording,
      { name: `normalization/global_norm${suffix}`, shape: [months, 2, ...dims], dtype: "<f4" },
      globals,
    );
  }
  const attributes = { ...layout.before, ...(Object.keys(filled).length > 0 ? { filled } : {}), ...layout.after };
  await writeGroup(recording, "", attributes);
  const metadata = Object.fromEntries([...consolidated].sort(([a], [b]) => (a < b ? -1 : 1)));
  await sink.put(".zmetadata", JSON.stringify({ metadata, zarr_consolidated_format: 1 }, null, 4));
}
