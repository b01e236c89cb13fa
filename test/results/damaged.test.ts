/** Result stores whose metadata are damaged within archives that are whole. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync, gzipSync } from "node:zlib";
import { zipSync } from "fflate";
import Blosc from "numcodecs/blosc";
import Zstd from "numcodecs/zstd";
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

const BOMB = 2 ** 26;
/** Zeros beyond any shape, as little bytes. */
async function bomb(codec: string): Promise<Buffer<ArrayBuffer>> {
  const zeros = Buffer.alloc(BOMB);
  if (codec === "zlib") return deflateSync(zeros);
  if (codec === "gzip") return gzipSync(zeros);
  return Buffer.from(await (codec === "zstd" ? new Zstd(1) : new Blosc(5, "zstd")).encode(zeros));
}

const CHUNK = Buffer.from(Float32Array.of(1, 2, 3, 4, 5, 6).buffer);

async function read(change: Record<string, unknown>, chunk = CHUNK): Promise<ArrayLike<unknown>> {
  const path = join(tempDir(), "results.zarr");
  const files = {
    ".zgroup": Buffer.from('{"zarr_format":2}'),
    "a/.zarray": Buffer.from(JSON.stringify({ ...ARRAY, ...change })),
    "a/0.0": chunk,
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
    ["a codec without a name", { compressor: {} }, /unsupported codec; found undefined/],
    [
      "a codec of no kind behind one that is",
      { filters: [{ id: "delta", dtype: "<f4" }], compressor: { id: "\u001b[2J" } },
      /unsupported codec; found \\u001b\[2J/,
    ],
    ["chunks of another rank", { chunks: [2] }, /array metadata are damaged/],
    [
      "more values than the file can hold",
      { shape: [2e5, 3e5] },
      /larger than the file can hold; found \[200000, 300000\]/,
    ],
    ["a chunk that the file cannot hold", { chunks: [2e5, 3e5] }, /larger than the file can hold/],
    ["too many chunks", { shape: [4000, 4000], chunks: [1, 1] }, /larger than the file can hold/],
    [
      "a codec that the chunk is not of",
      { compressor: { id: "zlib", level: 1 } },
      /a chunk is damaged; found numcodecs\.zlib: /,
    ],
    ["an unknown type", { dtype: "<q4" }, /does not hold numbers; found <q4/],
  ])("is refused with %s", async (_, change, message) => {
    await expect(read(change)).rejects.toMatchObject({ name: "AtmorepError", message: expect.stringMatching(message) });
  });

  it.each(["zlib", "gzip", "zstd", "blosc"])(
    "is refused with a chunk of %s that unfolds to more than its shape",
    async (id) => {
      const chunk = await bomb(id);
      const before = process.memoryUsage().arrayBuffers;
      await expect(read({ compressor: { id } }, chunk)).rejects.toMatchObject({
        name: "AtmorepError",
        message: expect.stringMatching(/results\.zarr\/a\/0\.0: a chunk is damaged; found /),
      });
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(BOMB / 2);
    },
  );

  it("gives every type of number, in C order, and what was not written as the fill value", async () => {
    const shorts = Buffer.from(Int16Array.of(1, 4, 2, 5, 3, 6).buffer);
    expect(await read({ dtype: "<i2", order: "F" }, shorts)).toEqual(Int16Array.of(1, 2, 3, 4, 5, 6));
    const times = Buffer.from(BigInt64Array.of(1n, 2n, 3n, 4n, 5n, 6n).buffer);
    expect(await read({ dtype: "<M8[ns]" }, times)).toEqual(BigInt64Array.of(1n, 2n, 3n, 4n, 5n, 6n));
    expect(await read({ chunks: [2, 2], fill_value: 7 }, CHUNK.subarray(0, 16))).toEqual(
      Float32Array.of(1, 2, 7, 3, 4, 7),
    );
  });
});
