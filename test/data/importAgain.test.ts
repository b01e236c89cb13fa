/** Files that change between two imports of one process, and stores that no one can read rightly. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { levelSource } from "../../src/data/fields.js";
import { cfTimes } from "../../src/data/import/cfTimes.js";
import { conversionOf } from "../../src/data/import/fieldUnits.js";
import { importStore } from "../../src/data/import/index.js";
import { openStore } from "../../src/data/store.js";
import { formatTime } from "../../src/data/time.js";
import { readValues, wholeWindow } from "../../src/data/values.js";
import { type Dataset, writeNetcdf3, writeNetcdf4, writeXarrayZarr } from "./importFixtures.js";
import { temporaryFolder, tinyStore } from "./support.js";

const folder = temporaryFolder();
afterAll(folder.remove);

const dataset = (add: number, steps = 4): Dataset => ({
  dims: { time: steps, lat: 2, lon: 3 },
  variables: [
    {
      name: "time",
      dims: ["time"],
      type: "double",
      values: Array.from({ length: steps }, (_, i) => i * 6),
      attrs: { units: "hours since 2001-01-01" },
    },
    { name: "lat", dims: ["lat"], type: "float", values: [50, 51] },
    { name: "lon", dims: ["lon"], type: "float", values: [0, 1, 2] },
    {
      name: "v",
      dims: ["time", "lat", "lon"],
      type: "float",
      values: Array.from({ length: steps * 6 }, (_, i) => i + add),
    },
  ],
});

describe("a file that changes between two imports of one process", () => {
  it.each([
    ["NetCDF-3", "a.cdf", writeNetcdf3],
    ["NetCDF-4", "a.nc", writeNetcdf4],
    ["Zarr", "a.zarr", writeXarrayZarr],
  ] as const)("%s is read anew", async (_, name, write) => {
    const path = join(folder.path, name);
    for (const add of [0, 100]) {
      rmSync(path, { recursive: true, force: true });
      await write(path, dataset(add));
      const out = join(folder.path, `${name}.out`);
      await importStore([path], out, { overwrite: true });
      const store = await openStore(out);
      const { values } = await readValues(store, levelSource(store, "velocity_v_sfc", 0), wholeWindow(store));
      expect(Array.from(values.subarray(0, 6))).toEqual([3, 4, 5, 0, 1, 2].map((v) => v + add));
      await store.close();
    }
  });

  it.each([400, 4, 2])("overwritten in place, NetCDF-4 of %i steps after one of 40", async (steps) => {
    const path = join(folder.path, `in-place-${steps}.nc`);
    const other = await writeNetcdf4(join(folder.path, "other.nc"), dataset(100, steps));
    await writeNetcdf4(path, dataset(0, 40));
    await importStore([path], join(folder.path, `${steps}-before`));
    // A refused import must let the file go, too.
    await expect(importStore([path], join(folder.path, "none"), { levels: [5], normUntil: 0n })).rejects.toThrow();
    writeFileSync(path, readFileSync(other));
    const out = join(folder.path, `${steps}-after`);
    expect((await importStore([path], out)).dataSfc).toEqual([steps, 1, 2, 3]);
    const store = await openStore(out);
    const { values } = await readValues(store, levelSource(store, "velocity_v_sfc", 0), wholeWindow(store));
    expect([values[0], values[values.length - 1]]).toEqual([103, 100 + steps * 6 - 4]);
    await store.close();
  });
});

describe("what is left open by a file", () => {
  it("zeros of a Zarr array whose fill value is 0 stay zeros, and that is told", async () => {
    const path = writeXarrayZarr(join(folder.path, "zeros.zarr"), dataset(-3));
    const file = join(path, "v", ".zarray");
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), fill_value: 0 }));
    const out = join(folder.path, "zeros.out");
    const { missing, notes } = await importStore([path], out);
    expect(missing).toEqual({});
    expect(notes.join()).toMatch(/v: 0, the fill_value of the Zarr array, is read as the value 0/);
    expect(notes.join()).toMatch(/v: the file gives no unit/);
  });

  it("a field of nothing but missing values is refused, and a zipped Zarr group stays one", async () => {
    const empty = dataset(0);
    empty.variables[3] = { ...empty.variables[3], attrs: { valid_min: 1000 } };
    const path = writeNetcdf3(join(folder.path, "empty.nc"), empty);
    await expect(importStore([path], join(folder.path, "none"))).rejects.toThrow(
      /velocity_v_sfc: a field has no value/,
    );
    const stored = fileURLToPath(new URL("../golden/store.zarr.zip", import.meta.url));
    // A zipped Zarr group is no zip of data files; without consolidated metadata its arrays are not known.
    await expect(importStore([stored], join(folder.path, "none"))).rejects.toThrow(
      /arrays of the store cannot be listed/,
    );
  });
});

describe("a store whose data are packed by attributes", () => {
  it.each([
    ["scale_factor", 0.1],
    ["add_offset", 273.15],
    ["_Unsigned", "true"],
  ])("is refused for %s", async (name, value) => {
    for (const format of [2, 3] as const) {
      const path = await tinyStore(join(folder.path, `packed-${name}-${format}.zarr`), { format });
      const file = join(path, "data", format === 2 ? ".zattrs" : "zarr.json");
      const old = format === 2 ? {} : (JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>);
      const attrs = { [name]: value };
      writeFileSync(file, JSON.stringify(format === 2 ? attrs : { ...old, attributes: attrs }));
      await expect(openStore(path)).rejects.toThrow(
        `packed by its attributes, which are not applied in this layout; found ${name}`,
      );
    }
  });
});

describe("cfTimes", () => {
  const one = (value: number, units: string, calendar = "") => formatTime(cfTimes([value], units, calendar, "test")[0]);
  it("counts the mixed calendar in Julian days before 15 October 1582", () => {
    // cftime: num2date(17540000, "hours since 0001-01-01", calendar)
    expect(one(17_540_000, "hours since 0001-01-01")).toBe("2001-12-13T08:00");
    expect(one(17_540_000, "hours since 0001-01-01", "proleptic_gregorian")).toBe("2001-12-15T08:00");
    // 1582-10-15 is the day after 1582-10-04; the date as cftime has it.
    const days = 150_000;
    expect(one(days, "days since 1582-10-04", "standard")).toBe(one(days - 1, "days since 1582-10-15", "standard"));
    expect(one(days, "days since 1582-10-04", "standard")).toBe("1993-06-21T00:00");
    expect(() => one(1, "days since 1582-10-10", "standard")).toThrow(/times cannot be read/);
    expect(() => one(1, "days since 1582-10-15")).toThrow(/outside of the years 1678 to 2261/);
  });
  it("knows zones, short years and parts of seconds", () => {
    expect(one(1, "hours since 2000-1-1 00:00:0.0 +01:30")).toBe("1999-12-31T23:30");
    expect(one(1500, "ms since 2000-01-01T00:00:00.5Z")).toBe("2000-01-01T00:00:02");
    expect(() => one(1, "years since 2000-01-01")).toThrow(/no fixed length/);
    expect(() => one(1, "days since 2000-13-01")).toThrow(/times cannot be read/);
    expect(() => one(Number.NaN, "days since 2000-01-01")).toThrow(/a time is missing/);
  });
});

describe("conversionOf", () => {
  it("reads one unit however it is written", () => {
    for (const text of ["m s**-1", "m/s", "m s-1", "m s^-1", "m.s-1", "m * s**-1"]) {
      expect(conversionOf("velocity_u", text, "test"), text).toEqual({ unit: "m s**-1", scale: 1, offset: 0 });
    }
    expect(conversionOf("geopotential", "m**2 s**-2", "test")?.scale).toBe(1);
    expect(conversionOf("geopotential", "m2/s2", "test")?.scale).toBe(1);
    expect(conversionOf("vorticity", "1/s", "test")?.scale).toBe(1);
    expect(conversionOf("specific_humidity", "g/kg", "test")?.scale).toBe(0.001);
  });
  it("leaves unknown fields and absent units as they are, and refuses what cannot be", () => {
    expect(conversionOf("ozone", "kg/kg", "test")).toBeNull();
    expect(conversionOf("temperature", "", "test")).toBeNull();
    expect(() => conversionOf("temperature", "m/s", "a.nc: t")).toThrow(
      /a.nc: t: temperature cannot be in this unit.*--unit/,
    );
    // A millipascal is no megapascal, a rate no amount.
    expect(() => conversionOf("surface_pressure", "mPa", "test")).toThrow(/cannot be/);
    expect(() => conversionOf("total_precip", "kg m-2 s-1", "test")).toThrow(/cannot be/);
  });
});
