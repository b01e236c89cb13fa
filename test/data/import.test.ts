import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { levelSource } from "../../src/data/fields.js";
import { type ImportOptions, importStore, parseFieldRequest } from "../../src/data/import/index.js";
import { monthlyNormalization } from "../../src/data/normalization/monthly.js";
import { openStore, type Store } from "../../src/data/store.js";
import { formatTime, parseTime } from "../../src/data/time.js";
import { readValues, wholeWindow } from "../../src/data/values.js";
import {
  type Dataset,
  type GribMessageSpec,
  grib1,
  grib2,
  gribValues,
  type Variable,
  writeNetcdf3,
  writeNetcdf4,
  writeXarrayZarr,
} from "./importFixtures.js";
import { temporaryFolder } from "./support.js";

const folder = temporaryFolder();
afterAll(folder.remove);
let counter = 0;
const fresh = (ending = "") => join(folder.path, `${++counter}${ending}`);

const TIMES = 6;
const [LATS, LONS, LEVELS] = [
  [50, 52, 54],
  [-4, -2, 0, 2],
  [850, 500],
];
/** What a variable holds at an index of the file's axes; south to north, west to east. */
const value = (t: number, l: number, y: number, x: number) => t * 10 + l * 100 + y * 0.5 + x * 0.125;
const at = (f: (t: number, l: number, y: number, x: number) => number, levels = LEVELS.length) => {
  const out: number[] = [];
  for (let t = 0; t < TIMES; t++)
    for (let l = 0; l < levels; l++)
      for (let y = 0; y < LATS.length; y++) for (let x = 0; x < LONS.length; x++) out.push(f(t, l, y, x));
  return out;
};
const axes: Variable[] = [
  {
    name: "time",
    dims: ["time"],
    type: "double",
    values: [0, 6, 12, 18, 24, 30],
    attrs: { units: "hours since 1996-01-30 12:00:00.0" },
  },
  { name: "level", dims: ["level"], type: "double", values: LEVELS },
  { name: "lat", dims: ["lat"], type: "float", values: LATS, attrs: { units: "degrees_north" } },
  { name: "lon", dims: ["lon"], type: "float", values: LONS, attrs: { units: "degrees_east" } },
];
const dims = { time: TIMES, level: LEVELS.length, lat: LATS.length, lon: LONS.length };
const u: Variable = {
  name: "u",
  dims: ["time", "level", "lat", "lon"],
  type: "float",
  values: at(value),
  attrs: { units: "m s**-1" },
};
/** Packed as the Climate Data Store packed: value = integer * 0.25 + 100. */
const packed = (name: string, missing: (t: number) => boolean = () => false): Variable => ({
  name,
  dims: ["time", "lat", "lon"],
  type: "short",
  values: at((t, _, y, x) => (missing(t) ? -32767 : t * 4 + y * 2 + x), 1),
  attrs: { scale_factor: 0.25, add_offset: 100, _FillValue: -32767, units: "Pa" },
});
const dataset: Dataset = { dims, unlimited: "time", variables: [...axes, u, packed("sp")] };

const withStore = async <T>(path: string, work: (store: Store) => Promise<T>): Promise<T> => {
  const store = await openStore(path);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
};
const valuesOf = (path: string, name: string, level: number) =>
  withStore(path, async (store) =>
    Array.from((await readValues(store, levelSource(store, name, level), wholeWindow(store))).values),
  );
/** The same values from north to south. */
const expected = (f: (t: number, y: number, x: number) => number) => {
  const out: number[] = [];
  for (let t = 0; t < TIMES; t++)
    for (let y = LATS.length - 1; y >= 0; y--) for (let x = 0; x < LONS.length; x++) out.push(f(t, y, x));
  return out;
};

describe("every format", () => {
  it.each([
    ["NetCDF-3", (d: Dataset) => writeNetcdf3(fresh(".nc"), d)],
    ["NetCDF-4, compressed over time steps", (d: Dataset) => writeNetcdf4(fresh(".nc"), d, 4)],
    ["NetCDF-4, a chunk a time step", (d: Dataset) => writeNetcdf4(fresh(".nc"), d, 1)],
    ["Zarr of xarray", (d: Dataset) => writeXarrayZarr(fresh(".zarr"), d)],
  ])("%s becomes the same store", async (_, write) => {
    const input = await write(dataset);
    const out = fresh(".zarr");
    const summary = await importStore([input], out, { timeChunk: 4 });
    expect(summary).toMatchObject({
      fields: ["velocity_u"],
      levels: [850, 500],
      fieldsSfc: ["surface_pressure"],
      data: [6, 1, 2, 3, 4],
      first: "1996-01-30T12:00",
      last: "1996-01-31T18:00",
      res: [2, 2],
      isGlobal: false,
      filled: {},
      units: { velocity_u: "m s**-1", surface_pressure: "Pa" },
    });
    await withStore(out, async (store) => {
      expect(Array.from(store.lats)).toEqual([36, 38, 40]);
      expect(Array.from(store.lons)).toEqual([356, 358, 360, 362]);
      expect(store.normalizationPeriod).toBeNull();
      expect(store.attrs.units).toEqual(summary.units);
    });
    expect(await valuesOf(out, "velocity_u", 850)).toEqual(expected((t, y, x) => value(t, 0, y, x)));
    expect(await valuesOf(out, "velocity_u", 500)).toEqual(expected((t, y, x) => value(t, 1, y, x)));
    expect(await valuesOf(out, "surface_pressure", 0)).toEqual(expected((t, y, x) => 100 + t + y * 0.5 + x * 0.25));
  });

  const message = (spec: Partial<GribMessageSpec>): GribMessageSpec => ({
    parameter: 131,
    level: [100, 500],
    date: [2019, 3, 1, 0],
    grid: { first: [54, 350], last: [50, 2], size: [4, 3] },
    integers: Array.from({ length: 12 }, (_, i) => (i * 37) % 1024),
    bits: 10,
    reference: -2.5,
    binaryScale: -3,
    decimalScale: 1,
    ...spec,
  });

  it.each([
    [1, grib1, [1, 0] as [number, number], [100, 500] as [number, number], 131, 167],
    [2, grib2, [103, 2] as [number, number], [100, 50000] as [number, number], [2, 2], [0, 0]],
  ] as const)(
    "GRIB edition %i, with a bitmap, padding and a forecast step",
    async (_, write, surface, upper, wind, t2m) => {
      const specs = [0, 6].flatMap((ahead) => [
        message({ parameter: wind as never, level: [...upper], ahead }),
        message({
          parameter: t2m as never,
          level: [...surface],
          ahead,
          reference: 256,
          decimalScale: -1,
          integers: Array(12).fill(ahead),
        }),
      ]);
      const input = fresh(".grib");
      writeFileSync(input, Buffer.concat(specs.flatMap((spec) => [write(spec), Buffer.alloc(13)])));
      const out = fresh(".zarr");
      const summary = await importStore([input], out);
      expect(summary).toMatchObject({
        fields: ["velocity_u"],
        levels: [500],
        fieldsSfc: ["t2m"],
        first: "2019-03-01T00:00",
        last: "2019-03-01T06:00",
        res: [2, 4],
      });
      await withStore(out, async (store) => expect(Array.from(store.lons)).toEqual([350, 354, 358, 362]));
      const wanted = [...gribValues(specs[0]), ...gribValues(specs[2])].map(Math.fround);
      expect(await valuesOf(out, "velocity_u", 500)).toEqual(wanted);
      expect(await valuesOf(out, "t2m", 0)).toEqual(
        [...gribValues(specs[1]), ...gribValues(specs[3])].map(Math.fround),
      );

      const holes = message({ parameter: wind as never, level: [...upper] });
      holes.integers[5] = null;
      writeFileSync(input, write(holes));
      await expect(importStore([input], fresh(), { missing: "refuse" })).rejects.toThrow(
        /velocity_u 500 at 2019-03-01T00:00: values are missing; found 1 of 12 points/,
      );
    },
  );

  it("GRIB scanned from the South and from the East is turned", async () => {
    const input = fresh(".grib");
    const spec = message({ grid: { first: [50, 2], last: [54, 350], size: [4, 3], scan: 0xc0 } });
    writeFileSync(input, grib1(spec));
    const out = fresh(".zarr");
    await importStore([input], out);
    expect(await valuesOf(out, "velocity_u", 500)).toEqual(gribValues(spec).reverse().map(Math.fround));
  });
});

describe("fields, levels, times and places", () => {
  const request = (texts: string[], surface = false) => texts.map((text) => parseFieldRequest(text, surface));
  const file = writeNetcdf3(fresh(".nc"), dataset);

  it("takes the fields asked for, on the levels asked for, in the box and dates asked for", async () => {
    const out = fresh(".zip");
    const summary = await importStore([file], out, {
      fields: request(["wind=u", "pressure:500=u"].slice(0, 1)),
      fieldsSfc: request([`p=sp@${file}`], true),
      levels: [500],
      box: { north: 54, west: -2, south: 51, east: 1 },
      dates: [parseTime("1996-01-31") as bigint, parseTime("1996-01-31T06") as bigint],
      attrs: { source: "a test" },
    });
    expect(summary).toMatchObject({ data: [2, 1, 1, 2, 2], dataSfc: [2, 1, 2, 2], first: "1996-01-31T00:00" });
    const wanted = [2, 3].flatMap((t) => [2, 1].flatMap((y) => [1, 2].map((x) => value(t, 1, y, x))));
    expect(await valuesOf(out, "wind", 500)).toEqual(wanted);
    await withStore(out, async (store) => {
      expect(Array.from(store.lons)).toEqual([358, 360]);
      expect(store.attrs.source).toBe("a test");
    });
  });

  it("joins files that continue one another in time", async () => {
    const later: Dataset = {
      ...dataset,
      variables: [{ ...axes[0], values: [36, 42, 48, 54, 60, 66] }, ...dataset.variables.slice(1)],
    };
    const out = fresh(".zarr");
    const summary = await importStore([writeNetcdf3(fresh(".nc"), later), file], out, { timeChunk: 5 });
    expect(summary.data?.[0]).toBe(12);
    await withStore(out, async (store) => {
      expect(formatTime(store.times[11])).toBe("1996-02-02T06:00");
      const january = await monthlyNormalization(
        store,
        "velocity_u",
        levelSource(store, "velocity_u", 850),
        "global",
        [0, 1],
      );
      // months of their own: 6 steps of January and 1 and 5 of the later file
      const mean = (steps: number[]) => steps.reduce((a, t) => a + t * 10, 0) / steps.length + 0.5 + 1.5 * 0.125;
      expect(january.mean.get(0)![0]).toBeCloseTo(mean([0, 1, 2, 3, 4, 5]), 4);
      expect(january.mean.get(1)![0]).toBeCloseTo(mean([0, 1, 2, 3, 4, 5]), 4);
    });
    // The same times again: equal values are taken, other ones only if asked.
    const same = await importStore([file, writeNetcdf3(fresh(".nc"), dataset)], fresh());
    expect(same.notes.join()).toMatch(/6 times of .* are given before: the values must be equal/);
    const changed = { ...u, values: at((t, l, y, x) => value(t, l, y, x) + (t === 3 ? 7 : 0)) };
    const other = writeNetcdf3(fresh(".nc"), { ...dataset, variables: [...axes, changed, packed("sp")] });
    await expect(importStore([file, other], fresh())).rejects.toThrow(
      /velocity_u level 850 is given twice for 1996-01-31T06:00, with other values/,
    );
    for (const [combine, add] of [
      ["first", 0],
      ["last", 7],
    ] as const) {
      const joined = fresh(".zarr");
      await importStore([file, other], joined, { combine });
      const wanted = expected((t, y, x) => value(t, 1, y, x) + (t === 3 ? add : 0));
      expect(await valuesOf(joined, "velocity_u", 500)).toEqual(wanted);
    }
  });

  it("leaves validation times out of the normalisation", async () => {
    const out = fresh(".zarr");
    await importStore([file], out, { normUntil: parseTime("1996-01-31") });
    await withStore(out, async (store) => {
      expect(store.normalizationPeriod).toEqual(["1996-01-30T12:00:00", "1996-01-30T18:00:00"]);
      const source = levelSource(store, "velocity_u", 850);
      const local = await monthlyNormalization(store, "velocity_u", source, "local", [0]);
      expect(local.mean.get(0)![0]).toBeCloseTo((value(0, 0, 2, 0) + value(1, 0, 2, 0)) / 2, 5);
      expect(local.std.get(0)![0]).toBeCloseTo(5, 5);
    });
  });

  it("reads the storm files' own time and a missing corner, cut off by a box", async () => {
    const corner = (t: number, y: number, x: number) => (y === 0 && x === 0 ? -9999 : t + y + x);
    const storm: Dataset = {
      dims: { timestep: TIMES, lat: 3, lon: 4, timelen: 20 },
      variables: [
        { name: "timestep", dims: ["timestep"], type: "double", values: [0, 6, 12, 18, 24, 30] },
        { name: "reftime", dims: ["timelen"], type: "char", values: "1996 01 05 00:00\0\0\0\0" },
        axes[2],
        axes[3],
        {
          name: "v",
          dims: ["timestep", "lat", "lon"],
          type: "float",
          values: at((t, _, y, x) => corner(t, y, x), 1),
          attrs: { _FillValue: -9999 },
        },
      ],
    };
    const input = writeNetcdf3(fresh(".cdf"), storm);
    const fields = request(["velocity_v:500=v"]);
    await expect(importStore([input], fresh(), { fields, missing: "refuse" })).rejects.toThrow(
      /found 1 of 12 points.*--box leaves out/,
    );
    // Kept unless refused: NaN in the store, and the share is told.
    const kept = fresh(".zarr");
    expect((await importStore([input], kept, { fields })).missing).toEqual({ "velocity_v 500": 1 / 12 });
    const corners = (await valuesOf(kept, "velocity_v", 500)).flatMap((v, i) => (Number.isNaN(v) ? [i % 12] : []));
    expect(corners).toEqual(Array(TIMES).fill(8));
    const out = fresh(".zarr");
    const summary = await importStore([input], out, { fields, box: { north: 54, west: 358, south: 50, east: 2 } });
    expect(summary).toMatchObject({ first: "1996-01-05T00:00", levels: [500], data: [6, 1, 1, 3, 3] });
  });
});

describe("missing steps", () => {
  const write = (missing: (t: number) => boolean) =>
    writeNetcdf3(fresh(".nc"), {
      ...dataset,
      variables: [...axes.filter((a) => a.name !== "level"), packed("sp", missing)],
    });

  it("are filled linearly in time and recorded", async () => {
    const out = fresh(".zarr");
    const options: Partial<ImportOptions> = { fillSteps: 1, timeChunk: 2 };
    const summary = await importStore([write((t) => t === 1 || t === 3)], out, options);
    expect(summary.filled).toEqual({ surface_pressure: [1, 3] });
    expect(await valuesOf(out, "surface_pressure", 0)).toEqual(expected((t, y, x) => 100 + t + y * 0.5 + x * 0.25));
    await withStore(out, async (store) =>
      expect(levelSource(store, "surface_pressure", 0).filled).toEqual(new Set([1, 3])),
    );
  });

  it.each([
    [
      "without --fill-time",
      0,
      (t: number) => t === 2,
      /1996-01-31T00:00: values are missing; found the whole step.*--fill-time/,
    ],
    ["longer than allowed", 1, (t: number) => t === 2 || t === 3, /longer than --fill-time allows/],
    ["at the first step", 2, (t: number) => t === 0, /1996-01-30T12:00: values are missing/],
    ["at the last step", 2, (t: number) => t === 5, /1996-01-31T18:00: values are missing/],
  ])("%s are refused and nothing is left behind", async (_, fillSteps, missing, message) => {
    const input = write(missing);
    const out = fresh(".zarr");
    const before = readdirSync(folder.path).sort();
    await expect(importStore([input], out, { fillSteps, missing: "refuse" })).rejects.toThrow(message);
    expect(readdirSync(folder.path).sort()).toEqual(before);
  });

  it("fills gaps as long as asked", async () => {
    const out = fresh(".zarr");
    const summary = await importStore([write((t) => t >= 1 && t <= 3)], out, { fillSteps: 3 });
    expect(summary.filled).toEqual({ surface_pressure: [1, 2, 3] });
    expect(await valuesOf(out, "surface_pressure", 0)).toEqual(expected((t, y, x) => 100 + t + y * 0.5 + x * 0.25));
  });
});

describe("faults", () => {
  const file = writeNetcdf3(fresh(".nc"), dataset);
  const change = (variable: string, edit: Partial<Variable>): Dataset => ({
    ...dataset,
    variables: dataset.variables.map((v) => (v.name === variable ? { ...v, ...edit } : v)),
  });

  it("names what is wrong in files", async () => {
    const cut = fresh(".nc");
    writeFileSync(cut, readFileSync(file).subarray(0, -40));
    await expect(importStore([cut], fresh())).rejects.toThrow(/cut short/);
    const four = await writeNetcdf4(fresh(".nc"), dataset);
    writeFileSync(four, readFileSync(four).subarray(0, 3000));
    await expect(importStore([four], fresh())).rejects.toThrow(/damaged or no NetCDF-4 file/);
    const text = fresh(".txt");
    writeFileSync(text, "latitude,longitude\n");
    await expect(importStore([text], fresh())).rejects.toThrow(/format of the file is not known/);
    await expect(importStore([fresh(".nc")], fresh())).rejects.toThrow(/there is no such file/);
    await expect(importStore([], fresh())).rejects.toThrow(/no file to import/);
    const uneven = writeNetcdf3(fresh(".nc"), change("lat", { values: [50, 52, 55] }));
    await expect(importStore([uneven], fresh())).rejects.toThrow(/latitudes are not evenly spaced/);
    const calendar = change("time", { attrs: { units: "days since 1990-01-01", calendar: "360_day" } });
    await expect(importStore([writeNetcdf3(fresh(".nc"), calendar)], fresh())).rejects.toThrow(/calendar 360_day/);
    const plane = writeNetcdf3(fresh(".nc"), {
      dims: { lat: 3, lon: 4, time: TIMES, band: 2 },
      variables: [
        axes[0],
        axes[2],
        axes[3],
        { name: "q", dims: ["band", "time", "lat", "lon"], type: "float", values: at(value, 2) },
      ],
    });
    await expect(importStore([plane], fresh())).rejects.toThrow(
      /no gridded variable found.*q \(its dimension band \(2\)/,
    );
  });

  it("names what is wrong in requests", async () => {
    const fields = (text: string, surface = false) => ({
      [surface ? "fieldsSfc" : "fields"]: [parseFieldRequest(text, surface)],
    });
    await expect(importStore([file], fresh(), fields("a=zz"))).rejects.toThrow(/no variable zz; found u, sp/);
    await expect(importStore([file], fresh(), fields("a=sp"))).rejects.toThrow(
      /no level axis, so its level must be given/,
    );
    await expect(importStore([file], fresh(), fields("a=u", true))).rejects.toThrow(/no surface field/);
    await expect(importStore([file], fresh(), fields("a:300=u"))).rejects.toThrow(/there is no level 300/);
    await expect(importStore([file], fresh(), { levels: [1000] })).rejects.toThrow(/velocity_u is not on level 1000/);
    await expect(importStore([file], fresh(), { box: { north: 10, west: 0, south: 0, east: 10 } })).rejects.toThrow(
      /too few points/,
    );
    await expect(importStore([file], fresh(), { normUntil: 0n })).rejects.toThrow(/no time is left/);
    expect(() => parseFieldRequest("velocity_u", false)).toThrow(/not a field and its source/);
    const grid = writeNetcdf3(fresh(".nc"), change("lon", { values: [0, 2, 4, 6] }));
    const both = { ...fields("a=u"), fieldsSfc: [parseFieldRequest(`b=sp@${grid}`, true)] };
    await expect(importStore([file], fresh(), both)).rejects.toThrow(/another grid than that of/);
    const shorter = writeNetcdf3(fresh(".nc"), change("time", { values: [0, 6, 12, 18, 24, 31] }));
    const late = {
      fields: [parseFieldRequest(`a=u@${file}`, false)],
      fieldsSfc: [parseFieldRequest(`b=sp@${shorter}`, true)],
    };
    await expect(importStore([], fresh(), late)).rejects.toThrow(/lacks times that other fields have/);
  });

  it("shows nothing that opens as a store before the end, so a killed import leaves none", async () => {
    const out = fresh(".zarr");
    let told = 0;
    const looks: Promise<unknown>[] = [];
    const onProgress = (done: number) => {
      told = done;
      expect(existsSync(out)).toBe(false);
      looks.push(openStore(join(`${out}.unfinished`, "store")).catch((error: Error) => error.message));
    };
    await importStore([file], out, { onProgress });
    expect(told).toBe(TIMES * 3 * LATS.length * LONS.length * 4);
    expect(looks).toHaveLength(TIMES * 3);
    expect(existsSync(`${out}.unfinished`)).toBe(false);
    for (const look of await Promise.all(looks)) expect(look).toMatch(/not a Zarr store/);
    await withStore(out, async (store) => expect(store.times.length).toBe(TIMES));
  });

  it("replaces a store only if asked, and nothing else ever", async () => {
    const out = fresh(".zarr");
    await importStore([file], out);
    await expect(importStore([file], out)).rejects.toThrow(/something at this path already/);
    await importStore([file], out, { overwrite: true, fieldsSfc: [parseFieldRequest("p=sp", true)] });
    expect(existsSync(join(out, "data"))).toBe(false);
    await expect(importStore([file], folder.path, { overwrite: true })).rejects.toThrow(
      /no store, so it is not replaced/,
    );
  });
});
