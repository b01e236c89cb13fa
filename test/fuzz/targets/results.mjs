/** A zip file; or, behind a byte of 0, the metadata of an array in one, whose checksums are then right. */
import { zipSync } from "fflate";
import { openResults } from "../../../dist/results/readResults.js";
import { asFile, reader, using } from "../support.mjs";

export const dictionary = [
  "PK\x05\x06",
  "PK\x01\x02",
  "PK\x03\x04",
  '"shape": [',
  '"chunks": [',
  '"dtype": "',
  "<f4",
  "<M8[ns]",
  "null",
  "-1",
  ".zarray",
  ".zgroup",
  "9007199254740993",
];
const zarray = {
  zarr_format: 2,
  shape: [2, 3],
  chunks: [2, 3],
  dtype: "<f4",
  order: "C",
  fill_value: null,
  filters: null,
  compressor: null,
};
export const seeds = () =>
  [zarray, { ...zarray, dtype: "<M8[ns]", chunks: [1, 3], fill_value: 0, compressor: { id: "zlib", level: 1 } }].map(
    (one) => Buffer.from(`\0${JSON.stringify(one)}`),
  );
const zipped = (data) =>
  zipSync(
    {
      ".zgroup": Buffer.from('{"zarr_format":2}'),
      "a/.zarray": data,
      "a/0.0": Buffer.alloc(24, 1),
      "a/0": Buffer.alloc(8, 1),
    },
    { level: 0 },
  );
export const fuzz = reader(async (data) => {
  const bytes = data[0] === 0 ? zipped(data.subarray(1)) : data;
  await using(openResults(asFile(bytes, "results.zarr")), async (store) => {
    for (const name of [...store.arrays.keys()].slice(0, 8)) await store.read(name);
  });
});
