/** The first byte chooses the format, the rest is an array's metadata document. */
import { openChunks } from "../../../dist/data/zarr/chunks.js";
import { openMetadata } from "../../../dist/data/zarr/metadata.js";
import { memorySource, reader } from "../support.mjs";

const V2 = {
  zarr_format: 2,
  shape: [4, 6],
  chunks: [2, 3],
  dtype: "<f4",
  order: "C",
  fill_value: "NaN",
  filters: null,
  compressor: { id: "blosc", cname: "lz4", clevel: 5, shuffle: 1, blocksize: 0 },
};
const V3 = {
  zarr_format: 3,
  node_type: "array",
  shape: [4, 6],
  data_type: "float32",
  fill_value: 0,
  attributes: { units: "hours since 1900-01-01" },
  chunk_grid: { name: "regular", configuration: { chunk_shape: [4, 6] } },
  chunk_key_encoding: { name: "default", configuration: { separator: "/" } },
  codecs: [
    {
      name: "sharding_indexed",
      configuration: {
        chunk_shape: [2, 3],
        codecs: [
          { name: "bytes", configuration: { endian: "little" } },
          { name: "zstd", configuration: { level: 1, checksum: true } },
        ],
        index_codecs: [{ name: "bytes", configuration: { endian: "little" } }, { name: "crc32c" }],
        index_location: "end",
      },
    },
  ],
};
const seed = (format, document) => Buffer.from(String.fromCharCode(format) + JSON.stringify(document));
export const seeds = () => [
  seed(2, V2),
  seed(3, V3),
  seed(2, {
    ...V2,
    dtype: "<M8[ns]",
    compressor: null,
    filters: [
      { id: "fixedscaleoffset", offset: 1, scale: 10, dtype: "<f4", astype: "i2" },
      { id: "delta", dtype: "i4" },
    ],
  }),
  seed(3, {
    ...V3,
    codecs: [
      { name: "transpose", configuration: { order: [1, 0] } },
      { name: "bytes", configuration: { endian: "big" } },
      { name: "gzip", configuration: { level: 5 } },
      { name: "crc32c" },
    ],
  }),
];
export const dictionary = [
  "null",
  "-1",
  "1e99",
  "[]",
  "{}",
  "9007199254740993",
  '"blosc"',
  '"zstd"',
  '"quantize"',
  '"packbits"',
  '"<i8"',
  '">f2"',
  '"shape":[0]',
  "4294967296",
];
export const fuzz = reader(async (data) => {
  const json = new Uint8Array(data.subarray(1));
  const two = (data[0] ?? 0) % 2 === 0;
  const text = (value) => new TextEncoder().encode(JSON.stringify(value));
  const files = two
    ? new Map([
        ["/.zgroup", text({ zarr_format: 2 })],
        ["/a/.zarray", json],
        ["/a/.zattrs", text({ units: "days since 1950-01-01" })],
      ])
    : new Map([
        ["/zarr.json", text({ zarr_format: 3, node_type: "group", attributes: {} })],
        ["/a/zarr.json", json],
      ]);
  const store = await openMetadata(memorySource(files), "fuzz.zarr");
  const facts = await store.array("a");
  if (!facts) return;
  const chunks = await openChunks(store, facts, "fuzz.zarr");
  const size = chunks.chunkShape.reduce((a, b) => a * b, 1);
  // a store says itself how large its chunks are; whoever opens it bounds that by its grid
  if (size <= 1 << 20 && chunks.shape.every((n) => n > 0)) await chunks.rawChunk(chunks.shape.map(() => 0));
});
