/** Result stores whose metadata are damaged within archives that are whole. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { openResults } from "../../src/results/readResults.js";
import { tempDir } from "../support/tempDir.js";

const ARRAY = {
  zarr_format: 2,
  shape: [2, 3],
  chunks: [2, 3],
  dtype: "<f4",
  order: "C",
  fill_value: null,
  filters: null,
  compressor: null,
};

async function read(change: Record<string, unknown>): Promise<ArrayLike<unknown>> {
  const path = join(tempDir(), "results.zarr");
  const files = {
    ".zgroup": Buffer.from('{"zarr_format":2}'),
    "a/.zarray": Buffer.from(JSON.stringify({ ...ARRAY, ...change })),
    "a/0.0": Buffer.from(Float32Array.of(1, 2, 3, 4, 5, 6).buffer),
  };
  writeFileSync(path, zipSync(files, { level: 0 }));
  const store = await openResults(path);
  try {
    return await store.read("a");
  } finally {
    await store.close();
  }
}

describe("a result store", () => {
  it("is read where it is whole", async () => {
    expect([...Array.from(await read({}))]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it.each([
    ["sizes that are none", { shape: [2, "x"] }, /array metadata are damaged/],
    ["a codec without a name", { compressor: {} }, /name an unknown codec; found \{\}/],
    [
      "a codec of no kind behind one that is",
      { filters: [{ id: "delta", dtype: "<f4" }], compressor: { id: "\u001b[2J" } },
      /name an unknown codec; found \{"id":"\\u001b\[2J"\}/,
    ],
    ["chunks of another rank", { chunks: [2] }, /array metadata are damaged/],
    [
      "more values than the file can hold",
      { shape: [2e5, 3e5] },
      /larger than the file can hold; found \[200000, 300000\]/,
    ],
    ["a chunk that the file cannot hold", { chunks: [2e5, 3e5] }, /larger than the file can hold/],
    ["too many chunks", { shape: [4000, 4000], chunks: [1, 1] }, /larger than the file can hold/],
    ["a codec that the chunk is not of", { compressor: { id: "zlib", level: 1 } }, /the array cannot be read; found/],
    ["an unknown type", { dtype: "<q4" }, /the array cannot be read; found/],
  ])("is refused with %s", async (_, change, message) => {
    await expect(read(change)).rejects.toMatchObject({ name: "AtmorepError", message: expect.stringMatching(message) });
  });
});
