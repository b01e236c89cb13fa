/** Integers of 4 and 8 bytes have more digits than float32: times in seconds, and packed values. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { levelSource } from "../../src/data/fields.js";
import { openStore } from "../../src/data/store.js";
import { formatTime } from "../../src/data/time.js";
import { readValues, wholeWindow } from "../../src/data/values.js";

it("a Zarr group with times in seconds and values packed in int32 has the very times and values", async () => {
  const folder = mkdtempSync(join(tmpdir(), "atmorep-whole-"));
  const write = (name: string, dims: string[], shape: number[], dtype: string, attrs: object, bytes: Uint8Array) => {
    const [path, rest] = [join(folder, name), { compressor: null, filters: null, fill_value: null, order: "C" }];
    mkdirSync(path);
    writeFileSync(join(path, ".zarray"), JSON.stringify({ zarr_format: 2, shape, chunks: shape, dtype, ...rest }));
    writeFileSync(join(path, ".zattrs"), JSON.stringify({ _ARRAY_DIMENSIONS: dims, ...attrs }));
    writeFileSync(join(path, shape.map(() => 0).join(".")), bytes);
  };
  const bytesOf = ({ buffer }: Int32Array | BigInt64Array | Float64Array) => new Uint8Array(buffer as ArrayBuffer);
  writeFileSync(join(folder, ".zgroup"), '{"zarr_format": 2}');
  const first = 1_577_840_400n; // 2020-01-01T01:00
  const seconds = BigInt64Array.from([0n, 1n, 2n], (i) => first + i * 3600n);
  const time = { units: "seconds since 1970-01-01", standard_name: "time" };
  write("valid_time", ["valid_time"], [3], "<i8", time, bytesOf(seconds));
  write("latitude", ["latitude"], [3], "<f8", {}, bytesOf(Float64Array.from([10, 0, -10])));
  write("longitude", ["longitude"], [4], "<f8", {}, bytesOf(Float64Array.from([0, 10, 20, 30])));
  const packed = Int32Array.from({ length: 36 }, (_, i) => 101_325_123 + i);
  const pressure = { units: "Pa", scale_factor: 0.001 };
  write("msl", ["valid_time", "latitude", "longitude"], [3, 3, 4], "<i4", pressure, bytesOf(packed));

  const store = await openStore(folder);
  expect(Array.from(store.times, formatTime)).toEqual(["2020-01-01T01:00", "2020-01-01T02:00", "2020-01-01T03:00"]);
  const { values } = await readValues(store, levelSource(store, "mean_sea_level_pressure", 0), wholeWindow(store));
  expect(Array.from(values)).toEqual(Array.from(packed, (n) => Math.fround(n * 0.001)));
  await store.close();
  rmSync(folder, { recursive: true });
});
