/** An AtmoRep store (spec section 2): what it holds, checked when it is opened, and its arrays. */
import { AtmorepError } from "../errors.js";
import { checkAxis, readAttributes, readNormalizationYears, type StoreAttributes } from "./attributes.js";
import { SharedChunks } from "./cache/sharedChunks.js";
import { openSource } from "./source/index.js";
import { type Calendar, calendarOf, decodeTimes, formatTime } from "./time.js";
import { type ChunkedArray, openArray, readAll, readIntegers } from "./zarr/array.js";
import { type ArrayFacts, type MetadataStore, openMetadata } from "./zarr/metadata.js";

export interface StoreOptions {
  /** bound of the cache of decoded chunks, in bytes */
  cacheBytes?: number;
  /** the cache of the same store in another thread, in place of an own one */
  cache?: SharedChunks;
}

export const DEFAULT_CACHE_BYTES = 512 * 2 ** 20;

/** The arrays of a store, by their names in it; null where the store has none. */
export interface StoreArrays {
  /** [time, field, level, lat, lon] */
  data: ChunkedArray | null;
  /** [time, field_sfc, lat, lon] */
  data_sfc: ChunkedArray | null;
  /** [month, 2, field, level] */
  global_norm: ChunkedArray | null;
  /** [month, 2, field_sfc] */
  global_norm_sfc: ChunkedArray | null;
  /** [month, 2, field, level, lat, lon] */
  norm: ChunkedArray | null;
  /** [month, 2, field_sfc, lat, lon] */
  norm_sfc: ChunkedArray | null;
}

/** What the cache of a store keeps: chunks of arrays by their names, and planes of the normalisation. */
const CACHED = [
  ...["data", "data_sfc", "normalization/global_norm", "normalization/global_norm_sfc"],
  ...["normalization/norm", "normalization/norm_sfc", "normalization/norm plane", "normalization/norm_sfc plane"],
];

export interface Store extends StoreAttributes {
  /** as given: a path or an address */
  location: string;
  format: 2 | 3;
  /** degrees from the North pole, ascending */
  lats: Float64Array;
  /** degrees East, ascending; may pass 360 on a regional store that crosses the Greenwich meridian */
  lons: Float64Array;
  /** nanoseconds since 1970, ascending */
  times: BigInt64Array;
  /** unit of the stored times, for people */
  timeUnit: string;
  calendar: Calendar;
  /**
   * Years behind a normalisation by calendar month, which every year shares: that of month m is the one of m mod 12.
   * Null: each month has its own.
   */
  normalizationYears: number[] | null;
  arrays: StoreArrays;
  /** decoded chunks, and planes of the normalisation, of all threads that have this store open for each other */
  cache: SharedChunks;
  /** Chunks that have not been released are lost. */
  close(): Promise<void>;
}

/**
 * Opens a store: a Zarr group (format 2 or 3, consolidated or not) in a folder, a zip file or at an http address.
 * Reads the axes and metadata only.
 * @example const store = await openStore("assets/storm_199601.zarr"); console.log(store.fields, store.times.length);
 * @throws AtmorepError (input) if it is not a store of the layout, if arrays, attributes and shapes contradict each
 *   other, if an axis does not ascend, or if a codec is not supported
 */
export async function openStore(
  location: string,
  { cacheBytes = DEFAULT_CACHE_BYTES, cache = new SharedChunks(cacheBytes, CACHED) }: StoreOptions = {},
): Promise<Store> {
  const source = await openSource(location);
  try {
    const metadata = await openMetadata(source, location);
    const close = async () => {
      await cache.close();
      await source.close();
    };
    return { ...(await readStore(metadata, location, cache)), close };
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function readStore(
  metadata: MetadataStore,
  location: string,
  cache: SharedChunks,
): Promise<Omit<Store, "close">> {
  const [data, dataSfc] = await Promise.all([metadata.array("data"), metadata.array("data_sfc")]);
  if (!data && !dataSfc) throw missingArray(location, "data or data_sfc");
  const attributes = readAttributes(metadata.attrs, { upper: data !== null, surface: dataSfc !== null }, location);
  const { fields, fieldsSfc, levels, res, isGlobal } = attributes;

  const axis = async (name: string) => {
    const facts = await required(metadata, name, location);
    expectRank(facts, 1, location);
    return readAll(await openArray(metadata, facts, location, null));
  };
  const lats = await axis("lats");
  const lons = await axis("lons");
  checkAxis(lats, res[0], "lats", location);
  checkAxis(lons, res[1], "lons", location);
  checkExtent(lats, lons, res, isGlobal, location);

  const time = await required(metadata, "time", location);
  expectRank(time, 1, location);
  if (!time.time) {
    throw new AtmorepError("input", "the times have no unit", {
      where: `${location}: time`,
      found: `dtype ${time.dtype}`,
      expected:
        'datetime64 of W, D, h, m, s, ms, us or ns, or integers with a units attribute such as "hours since 1900-01-01"',
    });
  }
  const times = decodeTimes(await readIntegers(metadata, time, location), time.time, `${location}: time`);
  checkTimes(times, location);

  const [T, F, S, L, Y, X] = [times.length, fields.length, fieldsSfc.length, levels.length, lats.length, lons.length];
  const open = async (name: string, dims: Record<string, number>) => {
    const facts = await metadata.array(name);
    if (!facts) return null;
    expectShape(facts, dims, location);
    refusePacked(await metadata.groupAttrs(name), `${location}: ${name}`);
    return openArray(metadata, facts, location, cache);
  };
  // The number of months is checked where a month is used: some stores hold only those they need.
  const any = -1;
  return {
    ...attributes,
    location,
    format: metadata.format,
    lats,
    lons,
    times,
    timeUnit: time.time.label,
    calendar: calendarOf(times),
    normalizationYears: readNormalizationYears(await metadata.groupAttrs("normalization"), location),
    cache,
    arrays: {
      data: await open("data", { time: T, field: F, level: L, lat: Y, lon: X }),
      data_sfc: await open("data_sfc", { time: T, "surface field": S, lat: Y, lon: X }),
      global_norm: data && (await open("normalization/global_norm", { month: any, statistic: 2, field: F, level: L })),
      global_norm_sfc:
        dataSfc && (await open("normalization/global_norm_sfc", { month: any, statistic: 2, "surface field": S })),
      norm:
        data && (await open("normalization/norm", { month: any, statistic: 2, field: F, level: L, lat: Y, lon: X })),
      norm_sfc:
        dataSfc &&
        (await open("normalization/norm_sfc", { month: any, statistic: 2, "surface field": S, lat: Y, lon: X })),
    },
  };
}

/** Attributes that pack values are applied by xarray, and by no one who reads this layout: the original takes the integers. */
function refusePacked(attrs: Record<string, unknown>, where: string): void {
  const packing = Object.entries(attrs).filter(
    ([name, value]) =>
      (name === "scale_factor" && value !== 1) ||
      (name === "add_offset" && value !== 0) ||
      (name === "_Unsigned" && String(value) === "true"),
  );
  if (packing.length === 0) return;
  throw new AtmorepError("input", "the array is packed by its attributes, which are not applied in this layout", {
    where,
    found: packing.map(([name, value]) => `${name} ${value}`).join(", "),
    expected: "values as they are, or packed by a codec (fixedscaleoffset)",
    fix: "Write the array unpacked, for instance with xarray and encoding={} for its variables",
  });
}

async function required(metadata: MetadataStore, name: string, location: string): Promise<ArrayFacts> {
  const facts = await metadata.array(name);
  if (!facts) throw missingArray(location, name);
  return facts;
}

function missingArray(location: string, name: string): AtmorepError {
  return new AtmorepError("input", `the store has no array ${name}`, {
    where: location,
    expected: "the arrays data or data_sfc, time, lats, lons and the group normalization",
    fix: "Is it a store of the AtmoRep layout?",
  });
}

function expectRank(facts: ArrayFacts, rank: number, location: string): void {
  if (facts.shape.length === rank && facts.shape[0] > 0) return;
  throw new AtmorepError("input", "wrong dimensions", {
    where: `${location}: ${facts.name}`,
    found: facts.shape,
    expected: `${rank} dimension${rank === 1 ? "" : "s"}, not empty`,
  });
}

function expectShape(facts: ArrayFacts, dims: Record<string, number>, location: string): void {
  const sizes = Object.values(dims);
  if (facts.shape.length === sizes.length && sizes.every((n, i) => n < 0 || n === facts.shape[i])) return;
  throw new AtmorepError("input", "the shape contradicts the attributes and axes", {
    where: `${location}: ${facts.name}`,
    found: facts.shape,
    expected: `[${Object.entries(dims)
      .map(([name, n]) => (n < 0 ? name : `${name} ${n}`))
      .join(", ")}]`,
    fix: "Compare the root attributes (fields, fields_sfc, levels) and the axes time, lats, lons with the array",
  });
}

function checkTimes(times: BigInt64Array, location: string): void {
  for (let i = 1; i < times.length; i++) {
    if (times[i] > times[i - 1]) continue;
    const twice = times[i] === times[i - 1];
    throw new AtmorepError("input", "the times do not ascend", {
      where: `${location}: time[${i}]`,
      found: `${formatTime(times[i])} after ${formatTime(times[i - 1])}${twice ? ", the same time twice" : ""}`,
      expected: "each time once, in order",
      fix: twice
        ? "Write the store again with one of the two steps left out (in xarray: drop_duplicates), or import it again"
        : "Write the store again with its steps in the order of time (in xarray: sortby), or import it again",
    });
  }
}

function checkExtent(
  lats: Float64Array,
  lons: Float64Array,
  res: readonly number[],
  isGlobal: boolean,
  location: string,
): void {
  const last = lats[lats.length - 1];
  if (lats[0] < -1e-3 || last > 180 + 1e-3) {
    throw new AtmorepError("input", "latitudes lie outside 0 to 180", {
      where: `${location}: lats`,
      found: `${lats[0]} to ${last}`,
      expected: "degrees from the North pole (90 - latitude)",
    });
  }
  const span = lons.length * res[1];
  if (isGlobal && Math.abs(span - 360) > 0.01 * res[1]) {
    throw new AtmorepError("input", "is_global is 1 but the longitudes do not go round", {
      where: location,
      found: `${lons.length} longitudes ${res[1]} degrees apart`,
      expected: "360 degrees in all, or is_global 0",
    });
  }
  if (span > 360 + 0.01 * res[1]) {
    throw new AtmorepError("input", "longitudes go round more than once", {
      where: `${location}: lons`,
      found: `${span} degrees`,
    });
  }
}
