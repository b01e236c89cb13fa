/** What every reader of input files gives: gridded variables, read one plane at a time. */
import type { ChunkCache } from "./cache.js";

/** How files are read. */
export interface ReadOptions {
  /** of one run: what its threads read over http must agree */
  session?: string;
  /** another thread of the run has opened it */
  again?: boolean;
  /** where all files that are open together keep decoded parts for the planes to come, each under its own path */
  parts?: ChunkCache<ArrayBufferView>;
}

/** A variable on a regular grid. Planes are `[lat, lon]` in the order of the file's axes. */
export interface InputVariable {
  name: string;
  /** another name that a request may use, such as GRIB's `2t` */
  alias?: string;
  /** CF's `standard_name`; undefined if the file gives none */
  standardName?: string;
  /** times that are decoded together; 1 where that is not known. @throws AtmorepError (input) for metadata that cannot be followed */
  timesTogether?(): number;
  /** levels that are decoded together, likewise */
  levelsTogether?(): number;
  /** path of the file, for errors */
  path: string;
  /** text of the file, such as `m s**-1`; empty if it has none */
  units: string;
  /** null if the variable has no level axis */
  levels: number[] | null;
  /** nanoseconds since 1970, in the order of the file */
  times: BigInt64Array;
  /** geographic degrees, in the order of the file */
  lats: Float64Array;
  /** degrees East, in the order of the file, any multiple of 360 added */
  lons: Float64Array;
  /** Values of one time and level, unpacked; NaN where missing. @throws AtmorepError (input) at damaged data */
  readPlane(time: number, level: number): Promise<Float64Array>;
}

export interface InputFile {
  path: string;
  /** for people */
  format: string;
  variables: InputVariable[];
  /** variables that are no gridded fields, and why */
  skipped: { name: string; why: string }[];
  /** what a person should know of how the values are read */
  notes?: string[];
  /** it was unpacked to be read, which each reader would do anew */
  unpacked?: boolean;
  /** tells these contents from others, where the size and time of a file do not */
  digest?: string;
  /** name of these contents for good, where `path` may come to mean others */
  pinned?: string;
  close(): Promise<void>;
}

/** Numbers as a file holds them. */
export type RawValues = ArrayLike<number>;

export type AttributeValue = string | number | number[];

/** One variable of a file of named dimensions (NetCDF, Zarr), before its conventions are read. */
export interface RawVariable {
  name: string;
  /** names of the dimensions; null if the file does not tell them */
  dims: string[] | null;
  shape: number[];
  attrs: Record<string, AttributeValue>;
  /** value that stands for "never written", besides what the attributes name */
  defaultFill: number | null;
  /** true if the values are text or no numbers at all */
  isText: boolean;
  /** how integers are stored; null for floats */
  integer?: { bits: number } | null;
  /** true for float32 */
  isSingle?: boolean;
  /** attributes that the file stores as floats, where it says so */
  floatAttrs?: ReadonlySet<string>;
  /** true if a Zarr array of format 2 has the fill value 0, which is read as a value */
  zeroFill?: boolean;
  /** why its values cannot be read */
  unreadable?: string;
  /** what is decoded at once, by dimension */
  chunkShape?(): readonly number[];
  /** nanoseconds since 1970 where the file's type says so itself */
  readTimes?(): Promise<BigInt64Array>;
  /** Values from `start` (missing axes: from 0), `count` along each axis, in C order. */
  read(start: readonly number[], count: readonly number[]): Promise<RawValues>;
}

export interface RawDataset {
  path: string;
  format: string;
  variables: Map<string, RawVariable>;
  /** what else the file holds, and why it is left out */
  leftOut?: { name: string; why: string }[];
  /** of the file or group as a whole, where they are read */
  attrs?: Readonly<Record<string, unknown>>;
  digest?: string;
  pinned?: string;
  close(): Promise<void>;
}
