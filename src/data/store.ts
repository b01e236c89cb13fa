/** Opening a store: one of the AtmoRep layout (docs/data.md), checked when it is opened, or a view of any other source. */
import { randomUUID } from "node:crypto";
import { AtmorepError } from "../errors.js";
import { checkAxis, readAttributes, readNormalizationYears } from "./attributes.js";
import { SharedChunks } from "./cache/sharedChunks.js";
import { isDataFile, isViewName, openView } from "./foreign/open.js";
import { withStatistics } from "./normalization/beside.js";
import { openSource, REQUESTS_AT_ONCE } from "./source/index.js";
import { CACHED, DEFAULT_CACHE_BYTES, type Store, type StoreOptions } from "./storeTypes.js";
import { calendarOf, decodeTimes, formatTime } from "./time.js";
import { openArray, readAll, readIntegers } from "./zarr/array.js";
import { type ArrayFacts, type MetadataStore, openMetadata } from "./zarr/metadata.js";

export { DEFAULT_CACHE_BYTES, type Store, type StoreArrays, type StoreOptions } from "./storeTypes.js";

/**
 * Opens a store: a Zarr group of the AtmoRep layout (format 2 or 3, consolidated or not) in a folder, a zip file or at an
 * http address; or, as a view, any other Zarr group, NetCDF and GRIB files, a pattern of files, or a mapping file.
 * Reads the axes and metadata only.
 * @example const store = await openStore("assets/storm_199601.zarr"); console.log(store.fields, store.times.length);
 * @throws AtmorepError (input) if it is neither, if arrays, attributes and shapes contradict each other, if an axis does
 *   not ascend, or if a codec is not supported
 */
export async function openStore(location: string, options: StoreOptions = {}): Promise<Store> {
  const { session = randomUUID(), statistics = null, cacheBytes = DEFAULT_CACHE_BYTES, partsBytes, cache } = options;
  const how: Opening = { session, again: options.session !== undefined, cacheBytes, partsBytes, cache };
  const store = (await openIfLayout(location, how)) ?? (await openView(location, how));
  if (statistics === null) return store;
  try {
    return await withStatistics(store, statistics);
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** A store of the AtmoRep layout. */
export interface LayoutStore extends Store {
  format: 2 | 3;
}

type Opening = Pick<StoreOptions, "cache" | "partsBytes"> & { session: string; again?: boolean; cacheBytes: number };

/** Opens a store of the AtmoRep layout and nothing else. @throws AtmorepError (input) as `openStore` */
export async function openLayout(location: string, cacheBytes = DEFAULT_CACHE_BYTES): Promise<LayoutStore> {
  const store = await openIfLayout(location, { session: randomUUID(), cacheBytes });
  if (store) return store;
  throw missingArray(location, "data or data_sfc");
}

/** Null if it is something else that can be a view. */
async function openIfLayout(
  location: string,
  { session, again, cacheBytes, cache: given }: Opening,
): Promise<LayoutStore | null> {
  if (isViewName(location) || (await isDataFile(location))) return null;
  const source = await openSource(location, session, again);
  try {
    const metadata = await openMetadata(source, location);
    const [data, surface] = await Promise.all([metadata.array("data"), metadata.array("data_sfc")]);
    if (!data && !surface) {
      await source.close();
      return null;
    }
    const cache = given ?? new SharedChunks(cacheBytes, CACHED, source.remote ? REQUESTS_AT_ONCE : undefined);
    const close = async () => {
      await cache.close();
      await source.close();
    };
    const place = source.pinned ?? location;
    return { ...(await readStore(metadata, { data, surface }, place, cache)), session, close };
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** @param arrays those that are there, at least one */
async function readStore(
  metadata: MetadataStore,
  { data, surface: dataSfc }: Record<"data" | "surface", ArrayFacts | null>,
  location: string,
  cache: SharedChunks,
): Promise<Omit<LayoutStore, "close" | "session">> {
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
    view: null,
    statistics: null,
    normalizationAxes: attributes,
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
