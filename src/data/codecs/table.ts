/** The codecs that can be read, by the names that numcodecs and Zarr formats 2 and 3 give them. */
import { bloscStage, lz4Stage, zstdStage } from "./blosc.js";
import { type ChecksumName, checksumStage } from "./checksums.js";
import { deflateStage } from "./deflate.js";
import { castStage, deltaStage, fixedScaleOffsetStage, nothingStage, shuffleStage } from "./filters.js";
import { refuse, type Stage } from "./stage.js";

type Configuration = Record<string, unknown>;

export interface CodecEntry {
  /** `bytes` works on bytes; `numbers` on numbers, before they are bytes in Zarr format 3 */
  works: "bytes" | "numbers";
  /** @throws Error if the configuration cannot be followed */
  stage(name: string, configuration: Configuration): Stage;
}

const onBytes = (stage: CodecEntry["stage"]): CodecEntry => ({ works: "bytes", stage });
const onNumbers = (stage: CodecEntry["stage"]): CodecEntry => ({ works: "numbers", stage });

const checksum = (kind: ChecksumName, usual: "start" | "end"): CodecEntry =>
  onBytes((name, { location = usual }) => {
    if (location !== "start" && location !== "end") throw refuse(`a checksum at "${String(location)}"`);
    return checksumStage(name, kind, location);
  });

const TABLE: Readonly<Record<string, CodecEntry>> = {
  blosc: onBytes(bloscStage),
  zstd: onBytes(zstdStage),
  lz4: onBytes(lz4Stage),
  zlib: onBytes((name) => deflateStage(name, "zlib")),
  gzip: onBytes((name) => deflateStage(name, "gzip")),
  crc32: checksum("crc32", "start"),
  crc32c: checksum("crc32c", "end"),
  adler32: checksum("adler32", "start"),
  fletcher32: onBytes((name) => checksumStage(name, "fletcher32", "end")),
  shuffle: onBytes(shuffleStage),
  delta: onNumbers(deltaStage),
  fixedscaleoffset: onNumbers(fixedScaleOffsetStage),
  bitround: onNumbers(nothingStage),
  quantize: onNumbers((name, { dtype, astype }) => castStage(name, dtype, astype)),
  astype: onNumbers((name, { decode_dtype, encode_dtype }) => castStage(name, decode_dtype, encode_dtype)),
};

/** The codec, with or without `numcodecs.` before its name, or undefined. */
export function codecOf(name: string): CodecEntry | undefined {
  const key = name.replace(/^numcodecs\./, "");
  return Object.hasOwn(TABLE, key) ? TABLE[key] : undefined;
}

/** Part of Zarr format 3 rather than of the table. */
const BUILT_IN = ["bytes", "transpose", "sharding_indexed"];

/** The first of `names` that cannot be read, or undefined. */
export function unsupportedCodec(names: readonly string[]): string | undefined {
  return names.find((name) => !BUILT_IN.includes(name) && !codecOf(name));
}

export function supportedCodecs(): string[] {
  return [...Object.keys(TABLE), ...BUILT_IN];
}
