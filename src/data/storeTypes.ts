/** What an open store is, and how it is opened. */
import type { StoreAttributes } from "./attributes.js";
import type { SharedChunks } from "./cache/sharedChunks.js";
import type { Mapping } from "./foreign/mapping.js";
import type { Calendar } from "./time.js";
import type { ChunkedArray } from "./zarr/array.js";

export interface StoreOptions {
  /** bound of the cache of decoded chunks, in bytes */
  cacheBytes?: number;
  /** of a view: bound of the decoded parts of its source that it keeps besides, in bytes (default 512 MiB) */
  partsBytes?: number;
  /** of a store that another thread of the run has opened: `session` of that one */
  session?: string;
  /** the cache of the same store in another thread, in place of an own one */
  cache?: SharedChunks;
  /** a normalisation that stands beside the source (`atmorep data normalize --out`), in place of the source's own */
  statistics?: string | null;
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
export const CACHED: readonly string[] = [
  ...["data", "data_sfc", "normalization/global_norm", "normalization/global_norm_sfc"],
  ...["normalization/norm", "normalization/norm_sfc", "normalization/norm plane", "normalization/norm_sfc plane"],
];

/** What a store reads that has another layout. */
export interface View {
  /** for people: `Zarr format 2`, `12 files (NetCDF-4)` */
  form: string;
  /** as `atmorep data info --map` shows and writes it, names of files as given */
  mapping: Mapping;
  /** what a person should know of how the values are read */
  notes: string[];
  /** gridded variables and other parts that are not taken, and why */
  leftOut: { name: string; why: string }[];
  /** what is read: paths and addresses, and a digest of contents where size and time do not tell them */
  files: readonly { path: string; digest: string | null }[];
  /** tells this source from any other, and from itself after a change */
  identity: string;
}

export interface Store extends StoreAttributes {
  /** as given: a path or an address; of an Icechunk repository with the snapshot that is open */
  location: string;
  /** of one opening, shared by the threads of a run */
  session: string;
  /** of Zarr; null for a view of other files */
  format: 2 | 3 | null;
  /** what a store without the AtmoRep layout is a view of; null for a store of the layout */
  view: View | null;
  /** place of a normalisation that stands beside the source; null if the source's own is used */
  statistics: string | null;
  /** what the axes of the normalisation arrays stand for: those of a normalisation beside the source can be others */
  normalizationAxes: Pick<StoreAttributes, "fields" | "fieldsSfc" | "levels">;
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
