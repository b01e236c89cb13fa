/** Checksums that are stored with a chunk. */
import { crc32 as crc32OfNode } from "node:zlib";
import { refuse, type Stage } from "./stage.js";

/** Castagnoli's polynomial, reflected. */
const POLYNOMIAL = 0x82f63b78;

/** Eight tables: eight bytes at a time. */
const TABLES = Array.from({ length: 8 }, () => new Int32Array(256));
for (let i = 0; i < 256; i++) {
  let value = i;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  TABLES[0][i] = value;
}
for (let table = 1; table < 8; table++) {
  for (let i = 0; i < 256; i++) {
    const value = TABLES[table - 1][i];
    TABLES[table][i] = (value >>> 8) ^ TABLES[0][value & 255];
  }
}

/** CRC-32C (RFC 3720, appendix B.4). */
export function crc32c(bytes: Uint8Array): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = TABLES;
  let crc = -1;
  let at = 0;
  for (const end = bytes.length - 7; at < end; at += 8) {
    const low = crc ^ (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24));
    crc =
      t7[low & 255] ^
      t6[(low >>> 8) & 255] ^
      t5[(low >>> 16) & 255] ^
      t4[low >>> 24] ^
      t3[bytes[at + 4]] ^
      t2[bytes[at + 5]] ^
      t1[bytes[at + 6]] ^
      t0[bytes[at + 7]];
  }
  for (; at < bytes.length; at++) crc = (crc >>> 8) ^ t0[(crc ^ bytes[at]) & 255];
  return ~crc >>> 0;
}

/** Adler-32 (RFC 1950). */
export function adler32(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (let at = 0; at < bytes.length; ) {
    // the most steps before a sum of 32 bits overflows
    const end = Math.min(at + 5552, bytes.length);
    for (; at < end; at++) {
      a += bytes[at];
      b += a;
    }
    a %= 65521;
    b %= 65521;
  }
  return (b * 65536 + a) >>> 0;
}

/** Fletcher's checksum as HDF5 has it (`H5_checksum_fletcher32`). */
export function fletcher32(bytes: Uint8Array): number {
  let a = 0;
  let b = 0;
  const fold = (sum: number) => (sum & 0xffff) + (sum >>> 16);
  const even = bytes.length & ~1;
  for (let at = 0; at < even; ) {
    const end = Math.min(at + 720, even);
    for (; at < end; at += 2) {
      a += (bytes[at] << 8) | bytes[at + 1];
      b += a;
    }
    a = fold(a);
    b = fold(b);
  }
  if (even < bytes.length) {
    a += bytes[even] << 8;
    b += a;
    a = fold(a);
    b = fold(b);
  }
  return ((fold(b) << 16) | fold(a)) >>> 0;
}

const SUMS = { crc32: (bytes: Uint8Array) => crc32OfNode(bytes), crc32c, adler32, fletcher32 };

export type ChecksumName = keyof typeof SUMS;

/** Four bytes before or after the data, compared with what the data give. */
export function checksumStage(name: string, kind: ChecksumName, location: "start" | "end"): Stage {
  return {
    name,
    encoded: ({ bytes, exact }) => ({ bytes: bytes + 4, exact }),
    decode(bytes) {
      if (bytes.length < 4) throw refuse("no room for a checksum");
      const end = bytes.length - 4;
      const stored = new DataView(bytes.buffer, bytes.byteOffset + (location === "end" ? end : 0)).getUint32(0, true);
      const data = location === "end" ? bytes.subarray(0, end) : bytes.subarray(4);
      const found = SUMS[kind](data);
      if (found !== stored) {
        throw refuse(`the data do not match their checksum (${found.toString(16)} instead of ${stored.toString(16)})`);
      }
      return data;
    },
  };
}
