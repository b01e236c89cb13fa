/** The stores that stand beside the repository, made again from the raw files they were made from. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { levelSource } from "../../src/data/fields.js";
import { type ImportOptions, importStore, parseFieldRequest } from "../../src/data/import/index.js";
import { openStore } from "../../src/data/store.js";
import { parseTime } from "../../src/data/time.js";
import { readValues, wholeWindow } from "../../src/data/values.js";
import { type ChunkedArray, readAll } from "../../src/data/zarr/array.js";

const DATA = resolve(process.env.ATMOREP_SHARED ?? "../shared", "data");
const raw = (name: string) => join(DATA, "raw", name);
const out = mkdtempSync(join(tmpdir(), "atmorep-import-"));
afterAll(() => rmSync(out, { recursive: true, force: true }));

/** [name, variable, file] */
const requests = (rows: [string, string, string][], surface = false) =>
  rows.map(([name, variable, file]) => parseFieldRequest(`${name}=${variable}@${raw(file)}`, surface));

const ERA5: Partial<ImportOptions> = {
  fields: requests([
    ["velocity_u", "u", "ERA5_2022-08-31_ml_u.nc"],
    ["velocity_v", "v", "ERA5_2022-08-31_ml_v.nc"],
    ["specific_humidity", "q", "ERA5_2022-08-31_ml_q.nc"],
  ]),
  fieldsSfc: requests(
    [
      ["total_precip", "tp", "ERA5_2022-08-31_tp.nc"],
      ["surface_pressure", "sp", "ERA5_2022-08-31_sp.nc"],
    ],
    true,
  ),
  levels: [95, 105, 115, 123, 137],
};

const STORM: Partial<ImportOptions> = {
  fields: requests([
    ["velocity_u:500", "u", "U500storm.cdf"],
    ["velocity_v:500", "v", "V500storm.cdf"],
  ]),
  fieldsSfc: requests(
    [
      ["temperature_sfc", "t", "Tstorm.cdf"],
      ["mean_sea_level_pressure", "p", "Pstorm.cdf"],
      ["velocity_u_sfc", "u", "Ustorm.cdf"],
      ["velocity_v_sfc", "v", "Vstorm.cdf"],
    ],
    true,
  ),
  box: { north: 60, west: 235, south: 25, east: 292.5 },
  fillSteps: 1,
  normUntil: parseTime("1996-01-16"),
  timeChunk: 8,
  compressor: "zlib",
};

describe.each([
  ["era5_20220831.zarr", ERA5],
  ["storm_199601.zarr", STORM],
])("%s", (name, options) => {
  it("is made again from the raw files", async () => {
    const path = join(out, name);
    const given = await openStore(join(DATA, name));
    const { source, licence } = given.attrs as Record<string, string>;
    const summary = await importStore([], path, { ...options, attrs: { source, licence } });
    const made = await openStore(path);

    const { units, ...attrs } = made.attrs;
    expect(attrs).toEqual(given.attrs);
    expect(units ?? {}).toEqual(summary.units);
    expect(made.times).toEqual(given.times);
    expect(made.lats).toEqual(given.lats);
    expect(made.lons).toEqual(given.lons);
    for (const key of Object.keys(given.arrays) as (keyof typeof given.arrays)[]) {
      const [a, b] = [given.arrays[key], made.arrays[key]] as [ChunkedArray, ChunkedArray];
      expect([b.shape, b.chunkShape], key).toEqual([a.shape, a.chunkShape]);
      const [wanted, got] = [await readAll(a), await readAll(b)];
      // Values have the same bits. Means and deviations are summed in another order: float32 rounding, 2^-23.
      const tolerance = key.startsWith("data") ? 0 : 2 ** -23;
      const off = wanted.findIndex((value, i) =>
        Number.isNaN(value) ? !Number.isNaN(got[i]) : !(Math.abs(got[i] - value) <= tolerance * Math.abs(value)),
      );
      expect(off < 0 ? "the same" : `${key}[${off}] ${got[off]} for ${wanted[off]}`).toBe("the same");
    }
    await given.close();
    await made.close();
  });
});

/** Step, sum of the plane as float32, first and last value, from ecCodes 2.50. */
const ECCODES: [step: number, sum: number, first: number, last: number][] = [
  [0, 454175.8212890625, 282.4248046875, 282.0888671875],
  [100, 450364.5817871094, 281.019287109375, 278.429443359375],
  [743, 451704.1091308594, 281.099365234375, 281.454833984375],
];

describe("era5-2mt-2019-03-uk.grib", () => {
  it("has the values that ecCodes 2.50 gives, and contiguous longitudes", async () => {
    const path = join(out, "t2m.zarr");
    await importStore([raw("era5-2mt-2019-03-uk.grib")], path, { timeChunk: 24 });
    const store = await openStore(path);
    expect([store.times.length, store.lats.length, store.lons.length]).toEqual([744, 33, 49]);
    expect([store.lons[0], store.lons[48], store.lats[0], store.lats[32]]).toEqual([350, 362, 32, 40]);
    const { values } = await readValues(store, levelSource(store, "t2m", 0), wholeWindow(store));
    for (const [step, sum, first, last] of ECCODES) {
      const plane = values.subarray(step * 33 * 49, (step + 1) * 33 * 49);
      expect(plane.reduce((a, b) => a + b, 0) / sum).toBeCloseTo(1, 12);
      expect([plane[0], plane[plane.length - 1]]).toEqual([first, last]);
    }
    await store.close();
  });
});
