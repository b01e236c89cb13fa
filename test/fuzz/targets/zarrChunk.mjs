/** The first byte chooses how the chunk is stored, the rest is the chunk (or shard) of 4 x 6 float32 (or int16). */
import { deflateSync, gzipSync } from "node:zlib";
import { openChunks } from "../../../dist/data/zarr/chunks.js";
import { openMetadata } from "../../../dist/data/zarr/metadata.js";
import { bytesOfFile, memorySource, reader } from "../support.mjs";

const v2 = (compressor, more = {}) => ({
  zarr_format: 2,
  shape: [4, 6],
  chunks: [4, 6],
  dtype: "<f4",
  order: "C",
  fill_value: 0,
  filters: null,
  compressor,
  ...more,
});
const blosc = (cname, shuffle) => v2({ id: "blosc", cname, clevel: 5, shuffle, blocksize: 0 });
const bytes = { name: "bytes", configuration: { endian: "little" } };
const v3 = (codecs, shape = [4, 6]) => ({
  zarr_format: 3,
  node_type: "array",
  shape: [4, 6],
  data_type: "float32",
  fill_value: 0,
  attributes: {},
  codecs,
  chunk_grid: { name: "regular", configuration: { chunk_shape: shape } },
  chunk_key_encoding: { name: "default", configuration: { separator: "/" } },
});
const FORMS = [
  blosc("lz4", 1),
  blosc("zstd", 2),
  blosc("zlib", 0),
  blosc("blosclz", 1),
  v2({ id: "zlib", level: 1 }),
  v2({ id: "zstd", level: 1 }),
  v2({ id: "lz4", acceleration: 1 }),
  v2({ id: "gzip", level: 1 }),
  v2(null),
  v2({ id: "zlib", level: 1 }, { filters: [{ id: "shuffle", elementsize: 4 }, { id: "crc32" }] }),
  v2(null, { filters: [{ id: "fixedscaleoffset", offset: 1, scale: 10, dtype: "<f4", astype: "<i2" }] }),
  v3([bytes, { name: "zstd", configuration: { level: 1, checksum: true } }, { name: "crc32c" }]),
  v3([bytes, { name: "gzip", configuration: { level: 1 } }]),
  v3([
    {
      name: "sharding_indexed",
      configuration: {
        chunk_shape: [2, 3],
        codecs: [bytes, { name: "zstd", configuration: { level: 1, checksum: false } }],
        index_codecs: [bytes, { name: "crc32c" }],
        index_location: "end",
      },
    },
  ]),
  v3([
    {
      name: "sharding_indexed",
      configuration: { chunk_shape: [2, 3], codecs: [bytes], index_codecs: [bytes], index_location: "start" },
    },
  ]),
  JSON.parse(bytesOfFile("assets/storm_199601.zarr/lats/.zarray").toString()),
];

const values = Buffer.from(Float32Array.from({ length: 24 }, (_, i) => i / 4).buffer);
const seed = (form, data) => Buffer.concat([Buffer.of(form), data]);
const storm = bytesOfFile("assets/storm_199601.zarr/lats/0");
export const seeds = () => [
  ...[0, 1, 2, 3, 5, 15].map((form) => seed(form, storm)),
  seed(4, deflateSync(values)),
  seed(7, gzipSync(values)),
  seed(8, values),
  seed(9, deflateSync(values)),
  seed(10, values.subarray(0, 48)),
  seed(6, Buffer.concat([Buffer.of(96, 0, 0, 0), Buffer.of(0xf0, 81), values])),
  seed(12, gzipSync(values)),
  seed(11, Buffer.from("28b52ffd2060", "hex")),
  seed(13, Buffer.concat([values, Buffer.alloc(68, 255)])),
  seed(14, Buffer.concat([Buffer.from(BigUint64Array.of(64n, 24n, 88n, 24n, 112n, 24n, 136n, 24n).buffer), values])),
];
export const dictionary = [
  "\x02\x01\x21\x04",
  "\x28\xb5\x2f\xfd",
  "\x1f\x8b\x08",
  "\x78\x9c",
  "\xff\xff\xff\xff",
  "\0\0\0\x80",
  "\x04\x22\x4d\x18",
  "\x60\0\0\0",
];
const text = (value) => new TextEncoder().encode(JSON.stringify(value));
export const fuzz = reader(async (data) => {
  const form = FORMS[(data[0] ?? 0) % FORMS.length];
  const chunk = new Uint8Array(data.subarray(1));
  const files =
    form.zarr_format === 2
      ? new Map([
          ["/.zgroup", text({ zarr_format: 2 })],
          ["/a/.zarray", text(form)],
          ["/a/0.0", chunk],
          ["/a/0", chunk],
        ])
      : new Map([
          ["/zarr.json", text({ zarr_format: 3, node_type: "group", attributes: {} })],
          ["/a/zarr.json", text(form)],
          ["/a/c/0/0", chunk],
        ]);
  const store = await openMetadata(memorySource(files), "fuzz.zarr");
  const chunks = await openChunks(store, await store.array("a"), "fuzz.zarr");
  await chunks.rawChunk(chunks.shape.map(() => 0));
});
