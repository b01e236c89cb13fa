/** What both editions of GRIB make of a message. */
import type { LevelKind } from "./levels.js";
import type { Name } from "./names.js";
import type { RegularGrid } from "./regularGrid.js";

/** One field of one message. */
export interface GribField {
  name: Name;
  /** file, message and byte, for errors */
  where: string;
  kind: LevelKind;
  /** pressure in hPa, number of the model level, height in m, ... */
  level: number;
  /** nanoseconds since 1970 of the time the field is valid at (the end, of accumulations) */
  time: bigint;
  /** number of the ensemble's member; null outside ensembles */
  member: number | null;
  grid: RegularGrid;
  /** in the order of the message, NaN where missing */
  values(): Promise<Float64Array>;
}

/** A message's length in bytes and its fields; a field that cannot be read says why. */
export interface GribMessage {
  length: number;
  fields: (GribField | { name: string; why: string })[];
}
