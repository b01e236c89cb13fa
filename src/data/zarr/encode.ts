/**
 * Compression of the chunks that this program writes. Blosc (Collet, Alted et al.) has no checksum of its own, so one stands
 * with it: in format 2 numcodecs' filter `crc32` under the compressor, which zarr 2 and the original read, in format 3 the
 * codec `crc32c` over it. The encoder is numcodecs' WebAssembly, so that bytes are the same on every machine.
 */
import { crc32, deflateSync, gzipSync } from "node:zlib";
import { crc32c } from "../codecs/checksums.js";

/** `blosc` has LZ4 within, `zstd` is Blosc with Zstandard: smaller, slower to write. */
export type Compressor = "none" | "zlib" | "blosc" | "zstd";
export const COMPRESSORS: readonly Compressor[] = ["none", "zlib", "blosc", "zstd"];

const INSIDE = {
  blosc: { cname: "lz4", clevel: 5, shuffle: 1, blocksize: 0 },
  zstd: { cname: "zstd", clevel: 3, shuffle: 1, blocksize: 0 },
} as const;

/** `compressor` and `filters` of a `.zarray`. */
export function codecsV2(compressor: Compressor): { compressor: object | null; filters: object[] | null } {
  if (compressor === "none") return { compressor: null, filters: null };
  if (compressor === "zlib") return { compressor: { id: "zlib", level: 1 }, filters: null };
  return { compressor: { id: "blosc", ...INSIDE[compressor] }, filters: [{ id: "crc32" }] };
}

/** `codecs` of a `zarr.json`. */
export function codecsV3(compressor: Compressor): object[] {
  const bytes = { name: "bytes", configuration: { endian: "little" } };
  if (compressor === "none") return [bytes];
  if (compressor === "zlib") return [bytes, { name: "gzip", configuration: { level: 1 } }];
  const blosc = { typesize: 4, ...INSIDE[compressor], shuffle: "shuffle" };
  return [bytes, { name: "blosc", configuration: blosc }, { name: "crc32c", configuration: {} }];
}

/** A chunk's bytes as they are stored. */
export async function encode(values: Uint8Array, compressor: Compressor, format: 2 | 3): Promise<Uint8Array> {
  if (compressor === "none") return values;
  if (compressor === "zlib") return (format === 2 ? deflateSync : gzipSync)(values, { level: 1 });
  if (format === 2) return blosc(withSum(values, crc32(values), 0), compressor);
  const packed = await blosc(values, compressor);
  return withSum(packed, crc32c(packed), packed.length);
}

async function blosc(bytes: Uint8Array, compressor: "blosc" | "zstd"): Promise<Uint8Array> {
  // Those who only read do without it.
  const { default: Blosc } = await import("numcodecs/blosc");
  return Blosc.fromConfig({ ...INSIDE[compressor] }).encode(bytes);
}

/** The bytes with their checksum, little-endian, before (0) or after them. */
function withSum(bytes: Uint8Array, sum: number, at: number): Uint8Array {
  const out = new Uint8Array(bytes.length + 4);
  out.set(bytes, at === 0 ? 4 : 0);
  new DataView(out.buffer).setUint32(at, sum, true);
  return out;
}
