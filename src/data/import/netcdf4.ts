/** Reads NetCDF-4 (HDF5) files with h5wasm, which is loaded only when such a file is met. */
import { resolve } from "node:path";
import type { Dataset, Group } from "h5wasm/node";
import { AtmorepError } from "../../errors.js";
import { product } from "../zarr/array.js";
import { ChunkCache, PARTS_BYTES } from "./cache.js";
import { limited, NeverEnding } from "./limited.js";
import type { AttributeValue, RawDataset, RawValues, RawVariable, ReadOptions } from "./types.js";

type Typed = Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array | Float32Array | Float64Array;

/** Parts are cut along time so that one stays below this. */
const BLOCK_BYTES = 64 * 2 ** 20;

/** What a file says of itself is read in milliseconds, a part of its values in seconds: HDF5 never ends on some damaged files. */
const LIMITS = { facts: 6, values: 60 };
/** The file on which HDF5 was stopped: it reads nothing more in this thread, since nothing is known of its state. */
let stoppedAt: string | null = null;

/** Fill values of the format by HDF5 type (signed and unsigned integers by size, floats). */
const FILLS: Readonly<Record<string, number>> = {
  h: -32767,
  H: 65535,
  i: -2147483647,
  I: 4294967295,
  q: -(2 ** 63),
  Q: 2 ** 64,
  f: Math.fround(9.969209968386869e36),
  d: 9.969209968386869e36,
};

/** @throws AtmorepError (input) if the file is damaged; (failed) if h5wasm is not installed */
export async function openNetcdf4(
  path: string,
  { parts = new ChunkCache(PARTS_BYTES) }: ReadOptions = {},
): Promise<RawDataset> {
  const hdf5 = await import("h5wasm/node").catch((cause) => {
    throw new AtmorepError("failed", "the package h5wasm, which reads NetCDF-4, cannot be loaded", {
      where: path,
      fix: 'Run "npm install" again, or convert the file: nccopy -k classic in.nc out.nc',
      cause,
    });
  });
  // Without this, faults are printed and reads give what was in memory.
  (await hdf5.ready).activate_throwing_error_handler();
  const file = attempt(path, "it cannot be opened as HDF5", () => new hdf5.File(resolve(path), "r"));
  const variables = new Map<string, RawVariable>();
  const leftOut: { name: string; why: string }[] = [];
  const cache = parts as ChunkCache<Typed>;
  try {
    for (const name of attempt(path, "its variables cannot be listed", () => file.keys())) {
      const entity = attempt(path, `variable ${name} cannot be opened`, () => (file as Group).get(name));
      if (entity instanceof hdf5.Dataset) {
        const variable = attempt(path, `variable ${name} cannot be described`, () =>
          describe(entity, name, path, cache),
        );
        variables.set(name, variable);
      } else if (entity instanceof hdf5.Group)
        leftOut.push({ name, why: "a group inside of the file: only its root is read" });
      else leftOut.push({ name, why: "neither a variable nor a group" });
    }
  } catch (error) {
    if (stoppedAt === null) file.close();
    throw error;
  }
  return {
    path,
    format: "NetCDF-4",
    variables,
    leftOut,
    async close() {
      if (stoppedAt === null) file.close();
    },
  };
}

function describe(dataset: Dataset, name: string, path: string, cache: ChunkCache<Typed>): RawVariable {
  const shape = dataset.shape ?? [];
  const type = typeof dataset.dtype === "string" ? dataset.dtype : "";
  const isNumber = /^[<>|=]?[bBhHiIqQfd]$/.test(type);
  const slice = (start: readonly number[], count: readonly number[]): Typed => {
    const where = `${path}: ${name}`;
    const read = () =>
      shape.length === 0
        ? dataset.value
        : dataset.slice(shape.map((_, i) => [start[i] ?? 0, (start[i] ?? 0) + count[i]]));
    const value = attempt(where, "the values cannot be read", read, LIMITS.values);
    const values = typeof value === "number" || typeof value === "bigint" ? Float64Array.of(Number(value)) : value;
    if (values instanceof BigInt64Array || values instanceof BigUint64Array) return Float64Array.from(values, Number);
    if (ArrayBuffer.isView(values)) return values as Typed;
    throw new AtmorepError("input", "the values are no numbers", { where, found: String(dataset.dtype) });
  };
  const blocks = blocksOf(dataset, shape);
  return {
    name,
    dims: dimensionNames(dataset, name, shape),
    shape,
    attrs: isNumber ? attributes(dataset) : {},
    defaultFill: FILLS[type.slice(-1)] ?? null,
    isText: !isNumber,
    integer: isNumber && !/[fd]$/.test(type) ? { bits: dataset.metadata.size * 8 } : null,
    isSingle: type.endsWith("f"),
    floatAttrs: new Set(isNumber ? floatAttributes(dataset) : []),
    unreadable: unreadable(dataset),
    async read(start, count) {
      if (!blocks || start.length !== shape.length || count.slice(0, -2).some((n) => n !== 1))
        return slice(start, count);
      return readThroughBlocks({ name: `${path}: ${name}`, shape, blocks, cache, slice }, start, count);
    },
  };
}

/**
 * Extent along each axis of the parts to decode at once: whole chunks along time and level, everything along the
 * plane. Null if planes are best read straight.
 */
function blocksOf(dataset: Dataset, shape: readonly number[]): number[] | null {
  const chunks = dataset.metadata.chunks;
  if (!chunks || shape.length < 3 || chunks.slice(0, -2).every((n) => n === 1)) return null;
  const block = shape.map((n, i) => (i < shape.length - 2 ? Math.min(n, chunks[i]) : n));
  const fits = Math.floor(BLOCK_BYTES / (product(block.slice(1)) * dataset.metadata.size));
  block[0] = Math.max(1, Math.min(block[0], fits));
  return block;
}

interface BlockReader {
  name: string;
  shape: readonly number[];
  blocks: readonly number[];
  cache: ChunkCache<Typed>;
  slice(start: readonly number[], count: readonly number[]): Typed;
}

/** One plane, cut from a decoded part that the next planes are likely to need too. */
async function readThroughBlocks(
  { name, shape, blocks, cache, slice }: BlockReader,
  start: readonly number[],
  count: readonly number[],
): Promise<RawValues> {
  const lead = shape.length - 2;
  const from = blocks.map((n, i) => (i < lead ? Math.floor(start[i] / n) * n : 0));
  const extent = blocks.map((n, i) => Math.min(n, shape[i] - from[i]));
  const values = await cache.get(`${name}/${from.join(".")}`, async () => slice(from, extent));
  let plane = 0;
  for (let i = 0; i < lead; i++) plane = plane * extent[i] + (start[i] - from[i]);
  const size = product(count);
  return values.subarray(plane * size, (plane + 1) * size);
}

function dimensionNames(dataset: Dataset, name: string, shape: readonly number[]): string[] | null {
  const own = shape.length === 1 && dataset.get_scale_name() !== null;
  const names = shape.map((_, i) => (own ? name : dataset.get_attached_scales(i)[0]?.replace(/^.*\//, "")));
  return names.every((dim) => dim !== undefined) ? names : null;
}

function attributes(dataset: Dataset): Record<string, AttributeValue> {
  const out: Record<string, AttributeValue> = {};
  for (const [key, attribute] of Object.entries(dataset.attrs)) {
    if (/^(DIMENSION_LIST|REFERENCE_LIST|CLASS|NAME|_Netcdf4.*)$/.test(key)) continue;
    const value = attribute.value;
    if (typeof value === "string" || typeof value === "number") out[key] = value;
    else if (Array.isArray(value) && typeof value[0] === "string") out[key] = value[0];
    else if (ArrayBuffer.isView(value)) out[key] = Array.from(value as Typed | BigInt64Array, Number);
  }
  return out;
}

/** Names of the attributes that are stored as floats. */
function floatAttributes(dataset: Dataset): string[] {
  return Object.entries(dataset.attrs)
    .filter(([, { dtype }]) => typeof dtype === "string" && /[efd]$/.test(dtype))
    .map(([name]) => name);
}

/** Filters that HDF5 itself decodes. */
const BUILT_IN = new Set([1, 2, 3, 5, 6]);
/** Names of registered filters by number (HDF Group, "Registered Filter Plugins"). */
const FILTERS: Readonly<Record<number, string>> = {
  4: "szip",
  305: "LZO",
  307: "bzip2",
  32000: "LZF",
  32001: "Blosc",
  32004: "LZ4",
  32008: "bitshuffle",
  32013: "ZFP",
  32015: "zstd",
  32017: "SZ",
  32022: "BitGroom",
  32023: "Granular BitRound",
  32026: "Blosc2",
};

/** Why the values cannot be decoded, or undefined. */
function unreadable(dataset: Dataset): string | undefined {
  const unknown = dataset.filters.filter(({ id }) => !BUILT_IN.has(id));
  if (unknown.length === 0) return undefined;
  const names = unknown.map(({ id, name }) => `${FILTERS[id] ?? (name || "unknown")} (HDF5 filter ${id})`);
  return `it is compressed with ${names.join(" and ")}, which is not read: write it again with deflate, for instance nccopy -F none in.nc out.nc`;
}

function attempt<T>(where: string, what: string, work: () => T, seconds = LIMITS.facts): T {
  if (stoppedAt !== null) {
    throw new AtmorepError("failed", "NetCDF-4 files cannot be read any more: reading one did not end", {
      where,
      found: stoppedAt,
      fix: "Start the program, or the notebook's kernel, again and leave that file out",
    });
  }
  try {
    return limited(work, seconds);
  } catch (cause) {
    if (cause instanceof NeverEnding) stoppedAt = where;
    throw new AtmorepError("input", `the file is damaged or no NetCDF-4 file: ${what}`, {
      where,
      found: cause instanceof Error ? cause.message.split("\n")[0] : String(cause),
      fix: "Copy or download it again",
      cause,
    });
  }
}
