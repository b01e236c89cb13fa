/**
 * Simple packing, and plain floats: the packings of most archives, read without any library. Every operation is ecCodes'
 * own, in its order, so that both give the same bits.
 */
import { damaged, power } from "./octets.js";

export interface SimplePacking {
  /** value of the integer 0, before the decimal scale */
  reference: number;
  binaryScale: number;
  decimalScale: number;
  bits: number;
}

/** One bit a point, 1 where there is a value; null if every point has one. */
export type Bitmap = Uint8Array | null;

const isMissing = (bitmap: Bitmap, i: number) => bitmap !== null && !((bitmap[i >> 3] >> (7 - (i & 7))) & 1);

/** @throws AtmorepError (input) if the bitmap has fewer bits than there are points */
function checkBitmap(bitmap: Bitmap, points: number, where: string): void {
  if (bitmap && bitmap.length * 8 < points)
    throw damaged(where, `a bitmap of ${bitmap.length * 8} bits for ${points} points`);
}

const tooShort = (where: string, points: number) =>
  damaged(where, `fewer values than its grid of ${points} points has`);

/**
 * Unpacks `value = (reference + integer * 2^binaryScale) * 10^-decimalScale`.
 * @throws AtmorepError (input) if the data are shorter than they must be, or a value is no number
 */
export function unpackSimple(
  { reference, binaryScale, decimalScale, bits }: SimplePacking,
  data: Uint8Array,
  bitmap: Bitmap,
  points: number,
  where: string,
): Float64Array {
  checkBitmap(bitmap, points, where);
  if (bits > 32) throw damaged(where, `values of ${bits} bits`);
  const scale = power(2, binaryScale);
  const decimal = decimalFactor(decimalScale);
  if (!Number.isFinite(reference) || !Number.isFinite(scale) || !Number.isFinite(decimal)) {
    throw damaged(where, `a reference of ${reference}, scales ${binaryScale} and ${decimalScale}`);
  }
  const out = new Float64Array(points);
  let position = 0;
  for (let i = 0; i < points; i++) {
    if (isMissing(bitmap, i)) {
      out[i] = Number.NaN;
      continue;
    }
    if (position + bits > data.length * 8) throw tooShort(where, points);
    let integer = 0;
    for (let left = bits; left > 0; ) {
      const inByte = 8 - (position & 7);
      const take = Math.min(left, inByte);
      const piece = (data[position >> 3] >> (inByte - take)) & ((1 << take) - 1);
      integer = integer * (1 << take) + piece;
      position += take;
      left -= take;
    }
    out[i] = (integer * scale + reference) * decimal;
  }
  return out;
}

/** 10^-scale as ecCodes has it: by one division or multiplication after another. */
function decimalFactor(scale: number): number {
  let factor = 1;
  for (let i = 0; i < Math.abs(scale); i++) factor = scale > 0 ? factor / 10 : factor * 10;
  return factor;
}

/** IEEE floats of 4 or 8 bytes, big-endian. @throws AtmorepError (input) as `unpackSimple` */
export function unpackFloats(
  size: 4 | 8,
  data: Uint8Array,
  bitmap: Bitmap,
  points: number,
  where: string,
): Float64Array {
  checkBitmap(bitmap, points, where);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const out = new Float64Array(points);
  let at = 0;
  for (let i = 0; i < points; i++) {
    if (isMissing(bitmap, i)) {
      out[i] = Number.NaN;
      continue;
    }
    if (at + size > data.length) throw tooShort(where, points);
    out[i] = size === 4 ? view.getFloat32(at) : view.getFloat64(at);
    if (!Number.isFinite(out[i])) throw damaged(where, `a value of ${out[i]}`);
    at += size;
  }
  return out;
}
