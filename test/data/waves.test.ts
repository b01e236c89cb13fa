import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { levelSource } from "../../src/data/fields.js";
import { describeStore } from "../../src/data/info/info.js";
import { monthlyNormalization } from "../../src/data/normalization/monthly.js";
import { normalizeStore } from "../../src/data/normalization/normalize.js";
import { openStore } from "../../src/data/store.js";
import { readValues, wholeWindow } from "../../src/data/values.js";
import { makeWaves } from "../../src/data/waves.js";
import { temporaryFolder, tinyStore } from "./support.js";

const folder = temporaryFolder();
afterAll(folder.remove);
const small = {
  fields: ["velocity_u", "temperature"],
  levels: [96, 137],
  res: [15, 15] as [number, number],
  days: 40,
  stepHours: 12,
};

describe("waves", () => {
  it("replaces an empty folder or an earlier sample, and nothing else", async () => {
    const tiny = { ...small, days: 1 };
    for (const name of ["again.zarr", "again.zip"]) {
      const path = join(folder.path, name);
      if (name === "again.zarr") mkdirSync(path);
      await makeWaves(path, tiny);
      await makeWaves(path, { ...tiny, days: 2 });
      const store = await openStore(path);
      expect(store.times.length).toBe(4);
      await store.close();
    }
    const files = join(folder.path, "files");
    mkdirSync(files);
    writeFileSync(join(files, "kept.txt"), "kept");
    const real = join(folder.path, "real.zarr");
    await tinyStore(real);
    const before = readdirSync(real);
    for (const path of [files, join(files, "kept.txt"), real]) {
      await expect(makeWaves(path, tiny)).rejects.toMatchObject({ code: "usage" });
    }
    expect(readFileSync(join(files, "kept.txt"), "utf8")).toBe("kept");
    expect(readdirSync(real)).toEqual(before);
  });

  it("gives a global store whose normalised values have mean 0 and standard deviation 1 in each month", async () => {
    const path = join(folder.path, "waves.zarr");
    await makeWaves(path, small);
    const store = await openStore(path);
    const info = await describeStore(store);
    expect(info.grid).toMatchObject({ rows: 13, columns: 24, isGlobal: true, north: 90, south: -90 });
    expect(info.times).toMatchObject({ count: 80, stepHours: 12, gaps: [] });
    expect(info.normalization).toEqual({
      period: null,
      calendarMonthsOf: null,
      global: true,
      local: true,
      missingMonths: [],
    });
    expect(info.values!.every((v) => v.missing === 0)).toBe(true);
    const source = levelSource(store, "velocity_u", 137);
    const january = wholeWindow(
      store,
      Int32Array.from({ length: 62 }, (_, i) => i),
    );
    const { values } = await readValues(store, source, january);
    const norm = await monthlyNormalization(store, "velocity_u", source, "global", [0]);
    const scaled = Array.from(values, (v) => (v - norm.mean.get(0)![0]) / norm.std.get(0)![0]);
    const mean = scaled.reduce((a, b) => a + b) / scaled.length;
    expect(Math.abs(mean)).toBeLessThan(1e-5);
    expect(scaled.reduce((a, b) => a + (b - mean) * (b - mean), 0) / scaled.length).toBeCloseTo(1, 4);
    await store.close();
  });

  it("gives the same bytes for the same options, others for another seed", async () => {
    const hash = async (seed: number, name: string) => {
      const path = join(folder.path, name);
      await makeWaves(path, { ...small, days: 2, seed });
      return createHash("sha256").update(readFileSync(path)).digest("hex");
    };
    expect(await hash(1, "a.zip")).toBe(await hash(1, "b.zip"));
    expect(await hash(2, "c.zip")).not.toBe(await hash(1, "d.zip"));
  });

  it("makes regional stores across the Greenwich meridian, with surface fields alone", async () => {
    const path = join(folder.path, "region.zip");
    const region = { north: 60, south: 45, west: -10, east: 5 };
    await makeWaves(path, { fields: [], fieldsSfc: ["total_precip"], res: [2.5, 2.5], region, days: 1 });
    const store = await openStore(path);
    expect([store.lons[0], store.lons.at(-1), store.lats[0], store.isGlobal]).toEqual([350, 365, 30, false]);
    expect(store.arrays.data).toBeNull();
    await store.close();
    await expect(makeWaves(path, { res: [5, 7] })).rejects.toThrow(/a part of 360 degrees/);
    await expect(makeWaves(path, { start: "soon" })).rejects.toThrow(/start: no store can be made/);
  });
});

describe("normalizeStore", () => {
  it.each([2, 3] as const)("computes the arrays from the dates asked for (format %i)", async (format) => {
    const path = await tinyStore(join(folder.path, `norm${format}.zarr`), {
      format,
      stepHours: 24,
      edit: (v, t, _f, _l, y, x) => (t === 1 && y === 0 && x === 0 ? Number.NaN : v),
    });
    const summary = await normalizeStore(path, ["2022-01-01", "2022-01-03"]);
    expect(summary).toMatchObject({ steps: 3, months: 1, period: ["2022-01-01T00:00", "2022-01-03T00:00"] });
    const store = await openStore(path);
    expect(store.normalizationPeriod).toEqual(summary.period);
    const source = levelSource(store, "b", 2);
    const { values } = await readValues(store, source, wholeWindow(store, Int32Array.of(0, 1, 2)));
    const valid = [...values].filter((v) => !Number.isNaN(v));
    const mean = valid.reduce((a, b) => a + b, 0) / valid.length;
    const std = Math.sqrt(valid.reduce((a, v) => a + (v - mean) * (v - mean), 0) / valid.length);
    const whole = await monthlyNormalization(store, "b", source, "global", [0]);
    expect(whole.mean.get(0)![0]).toBeCloseTo(mean, 3);
    expect(whole.std.get(0)![0]).toBeCloseTo(std, 3);
    const local = await monthlyNormalization(store, "b", source, "local", [0]);
    // step 1 is missing at the first point: mean and deviation of steps 0 and 2
    expect(local.mean.get(0)![0]).toBeCloseTo((values[0] + values[2 * 108]) / 2, 3);
    expect(local.std.get(0)![0]).toBeCloseTo(100, 3);
    await expect(monthlyNormalization(store, "b", source, "global", [1])).rejects.toThrow(
      /no valid normalisation for b level 2 in 2022-02/,
    );
    await store.close();
  });

  it("refuses what it cannot write or use, and leaves the store as it was", async () => {
    const zip = await tinyStore(join(folder.path, "norm.zip"));
    await expect(normalizeStore(zip, null)).rejects.toThrow(/into a folder only/);
    const path = await tinyStore(join(folder.path, "kept.zarr"));
    const before = readFileSync(join(path, "normalization/global_norm/0.0.0.0"));
    await expect(normalizeStore(path, ["1990-01-01", "1990-02-01"])).rejects.toThrow(
      /no step of the store lies in the dates/,
    );
    writeFileSync(join(path, "data/2.0.0.0.0"), "damaged");
    await expect(normalizeStore(path, null)).rejects.toThrow(/a chunk is damaged/);
    expect(readFileSync(join(path, "normalization/global_norm/0.0.0.0"))).toEqual(before);
  });
});
