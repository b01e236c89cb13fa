/** Numbers of a GRIB message. */
import { AtmorepError } from "../../../errors.js";

/** Big-endian numbers of a section; octets count from 1 as in the manual. */
export class Octets {
  private readonly view: DataView;

  /** @param where file and message, for errors */
  constructor(
    readonly bytes: Uint8Array,
    readonly where: string,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** @throws AtmorepError (input) if the section ends before, as the others */
  uint(octet: number, size: 1 | 2 | 3 | 4): number {
    this.need(octet + size - 1);
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
    this.need(octet + 3);
    return this.view.getFloat32(octet - 1);
  }

  /** A part, from an octet on. */
  from(octet: number): Uint8Array {
    this.need(octet - 1);
    return this.bytes.subarray(octet - 1);
  }

  private need(octets: number): void {
    if (this.bytes.length >= octets) return;
    throw damaged(this.where, `a section of ${this.bytes.length} bytes where ${octets} are needed`);
  }
}

export function damaged(where: string, found: string): AtmorepError {
  return new AtmorepError("input", "a GRIB message is damaged", {
    where,
    found,
    fix: "Download the file again, or leave the message out, for instance with grib_copy -w",
  });
}

/** By multiplication: exact for powers of 2, and the same bits everywhere. */
export function power(base: number, exponent: number): number {
  let result = 1;
  for (let i = 0; i < Math.abs(exponent); i++) result *= base;
  return exponent < 0 ? 1 / result : result;
}
