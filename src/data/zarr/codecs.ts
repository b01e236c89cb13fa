/** The compression codecs of zarrita, with Node's zlib in place of the stream API and the names of Zarr format 3 added. */
import { gunzipSync, inflateSync } from "node:zlib";
import { registry } from "zarrita";

type Codecs = Parameters<(typeof registry)["set"]>[1];

const inflating = (inflate: (bytes: Uint8Array) => Uint8Array) =>
  (async () => ({
    fromConfig: () => ({
      kind: "bytes_to_bytes" as const,
      encode: (bytes: Uint8Array) => bytes,
      decode: (bytes: Uint8Array) => aligned(inflate(bytes)),
    }),
  })) as unknown as Codecs;

/** Typed arrays need aligned memory; Node's buffers may start anywhere in a pool. */
const aligned = (bytes: Uint8Array) => (bytes.byteOffset % 8 === 0 ? bytes : Uint8Array.from(bytes));

registry.set(
  "zlib",
  inflating((bytes) => inflateSync(bytes)),
);
registry.set(
  "gzip",
  inflating((bytes) => gunzipSync(bytes)),
);
// zarr-python 3 writes the codecs of format 2 under these names.
for (const name of ["blosc", "lz4", "zstd", "zlib", "gzip", "crc32c"]) {
  const codec = registry.get(name);
  if (codec && !registry.has(`numcodecs.${name}`)) registry.set(`numcodecs.${name}`, codec);
}

/** Codecs that are part of the format rather than of the registry. */
const BUILT_IN = new Set(["sharding_indexed"]);

/** The first of `names` that cannot be read, or undefined. */
export function unsupportedCodec(names: readonly string[]): string | undefined {
  return names.find((name) => !BUILT_IN.has(name) && !registry.has(name));
}

export function supportedCodecs(): string[] {
  return [...registry.keys()].filter((name) => !name.startsWith("numcodecs.") && !/^(json2|vlen-utf8)$/.test(name));
}
