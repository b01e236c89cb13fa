/** What both editions of GRIB share: fields, grids, and the packing of their values. */
import { AtmorepError } from "../../errors.js";
import { daysFromCivil } from "../time.js";

export interface GribGrid {
  /** geographic degrees, in the order of the values */
  lats: Float64Array;
  lons: Float64Array;
}

/** One field of one message. */
export interface GribField {
  name: string;
  units: string;
  /** kind of level, as the edition numbers it */
  kind: number;
  /** pressure in hPa or number of the model level; null at the surface and at fixed heights */
  level: number | null;
  /** nanoseconds since 1970 of the time the field is valid at (the end, of accumulations) */
  time: bigint;
  grid: GribGrid;
  /** [lat, lon], NaN where missing */
  decode(): Promise<Float64Array>;
}

/** A message's length in bytes and its fields; a field that cannot be read says why. */
export interface GribMessage {
  length: number;
  fields: (GribField | { name: string; why: string })[];
}

/** Numbers of a message, big-endian; octets count from 1 as in the manual. */
export class Octets {
  private readonly view: DataView;

  constructor(readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  uint(octet: number, size: 1 | 2 | 3 | 4): number {
    let value = 0;
    for (let i = 0; i < size; i++) value = value * 256 + this.view.getUint8(octet - 1 + i);
    return value;
  }

  /** A number whose first bit is its sign. */
  signed(octet: number, size: 1 | 2 | 3 | 4): number {
    const value = this.uint(octet, size);
    const sign = 128 * 256 ** (size - 1);
    return value >= sign ? -(value - sign) : value;
  }

  float(octet: number): number {
    return this.view.getFloat32(octet - 1);
  }

  /** A section's part, from an octet on. */
  from(octet: number): Uint8Array {
    return this.bytes.subarray(octet - 1);
  }
}

/** A regular grid by its first and last point. @param scan flags of the scanning mode */
export function regularGrid(
  size: [columns: number, rows: number],
  first: [lat: number, lon: number],
  last: [lat: number, lon: number],
  scan: number,
): GribGrid | string {
  const [columns, rows] = size;
  if (scan & 0x30) return "its points do not run along latitudes from the same side";
  const west = scan & 0x80 ? last[1] : first[1];
  const east = scan & 0x80 ? first[1] : last[1];
  const width = columns > 1 ? (((east - west) % 360) + 360) % 360 || 360 : 0;
  const lons = Float64Array.from({ length: columns }, (_, i) => west + (i * width) / Math.max(1, columns - 1));
  if (scan & 0x80) lons.reverse();
  const height = last[0] - first[0];
  const lats = Float64Array.from({ length: rows }, (_, i) => first[0] + (i * height) / Math.max(1, rows - 1));
  return { lats, lons };
}

export interface SimplePacking {
  /** value of the integer 0, before the decimal scale */
  reference: number;
  binaryScale: number;
  decimalScale: number;
  bits: number;
}

/**
 * Unpacks `value = (reference + integer * 2^binaryScale) / 10^decimalScale`.
 * @param bitmap one bit a point, 1 where there is a value; null if every point has one
 * @throws AtmorepError (input) if the data are shorter than they must be
 */
export function unpackSimple(
  { reference, binaryScale, decimalScale, bits }: SimplePacking,
  data: Uint8Array,
  bitmap: Uint8Array | null,
  points: number,
  where: string,
): Float64Array {
  const scale = power(2, binaryScale);
  const decimal = power(10, Math.abs(decimalScale));
  const out = new Float64Array(points);
  let position = 0;
  for (let i = 0; i < points; i++) {
    if (bitmap && !((bitmap[i >> 3] >> (7 - (i & 7))) & 1)) {
      out[i] = Number.NaN;
      continue;
    }
    if (position + bits > data.length * 8) {
      throw new AtmorepError("input", "a GRIB message holds fewer values than its grid has points", { where });
    }
    let integer = 0;
    for (let left = bits; left > 0; ) {
      const inByte = 8 - (position & 7);
      const take = Math.min(left, inByte);
      const piece = (data[position >> 3] >> (inByte - take)) & ((1 << take) - 1);
      integer = integer * (1 << take) + piece;
      position += take;
      left -= take;
    }
    const value = reference + integer * scale;
    out[i] = decimalScale > 0 ? value / decimal : value * decimal;
  }
  return out;
}

/** By multiplication: exact for powers of 2, and the same bits everywhere. */
export function power(base: number, exponent: number): number {
  let result = 1;
  for (let i = 0; i < Math.abs(exponent); i++) result *= base;
  return exponent < 0 ? 1 / result : result;
}

/** Nanoseconds since 1970. */
export function timeOf(year: number, month: number, day: number, hour: number, minute: number, second = 0): bigint {
  return BigInt(daysFromCivil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second) * 1_000_000_000n;
}

/** Seconds of the time units of code table 4 (edition 1; the same numbers in edition 2 up to 12). */
export const UNIT_SECONDS: Readonly<Record<number, number>> = {
  0: 60,
  1: 3600,
  2: 86_400,
  10: 10_800,
  11: 21_600,
  12: 43_200,
};
