/** Statistics by calendar month: one January, one February, ... of all years of a period, for every year of the store. */
import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { levelSource } from "../../../src/data/fields.js";
import { describeStore } from "../../../src/data/info/info.js";
import { monthlyNormalization } from "../../../src/data/normalization/monthly.js";
import { normalizeStore } from "../../../src/data/normalization/normalize.js";
import { openStore, type Store } from "../../../src/data/store.js";
import { readValues, wholeWindow } from "../../../src/data/values.js";
import { readAll } from "../../../src/data/zarr/array.js";
import { type TinyOptions, temporaryFolder, tinyStore } from "../support.js";

const folder = temporaryFolder();
afterAll(folder.remove);

/** Daily from 2021-01-01, 800 days: the last lies in March 2023. */
const DAILY: TinyOptions = { start: 447_072, stepHours: 24, steps: 800, rows: 3, columns: 4, chunks: [50, 2, 2, 3, 4] };
const daily = (name: string, more: TinyOptions = {}) => tinyStore(join(folder.path, name), { ...DAILY, ...more });

const source = (store: Store) => levelSource(store, "b", 2);

/** Mean and population deviation of the steps of the years and the month, all points in one: [mean, std]. */
async function expected(store: Store, years: number[], monthOfYear: number, point?: number): Promise<[number, number]> {
  const steps = [...store.times.keys()].filter(
    (t) => years.includes(store.calendar.year[t]) && store.calendar.monthOfYear[t] === monthOfYear,
  );
  const { values } = await readValues(store, source(store), wholeWindow(store, Int32Array.from(steps)));
  const taken = point === undefined ? [...values] : steps.map((_, k) => values[k * 12 + point]);
  const mean = taken.reduce((a, b) => a + b, 0) / taken.length;
  return [mean, Math.sqrt(taken.reduce((a, v) => a + (v - mean) ** 2, 0) / taken.length)];
}

describe("normalizeStore by calendar month", () => {
  it.each([2, 3] as const)("joins the years of the period and serves years after it (format %i)", async (format) => {
    const path = await daily(`years${format}.zarr`, { format });
    const summary = await normalizeStore(path, ["2021-01-01", "2022-12-31"], "calendar-month");
    expect(summary).toMatchObject({ by: "calendar-month", years: [2021, 2022], months: 12, steps: 730 });
    expect(summary).toMatchObject({ missingMonths: [], period: ["2021-01-01T00:00", "2022-12-31T00:00"] });
    const store = await openStore(path);
    expect(store.normalizationYears).toEqual([2021, 2022]);
    expect(store.normalizationPeriod).toEqual(summary.period);
    // February: of 2021, 2022 and, after the period, 2023
    const february = [1, 13, 25];
    const global = await monthlyNormalization(store, "b", source(store), "global", february);
    const local = await monthlyNormalization(store, "b", source(store), "local", february);
    const [mean, std] = await expected(store, [2021, 2022], 2);
    const [meanHere, stdHere] = await expected(store, [2021, 2022], 2, 7);
    for (const month of february) {
      expect(global.mean.get(month)![0] / mean).toBeCloseTo(1, 6);
      expect(global.std.get(month)![0] / std).toBeCloseTo(1, 6);
      expect(local.mean.get(month)![7] / meanHere).toBeCloseTo(1, 6);
      expect(local.std.get(month)![7] / stdHere).toBeCloseTo(1, 6);
    }
    expect((await describeStore(store, false)).normalization).toMatchObject({
      missingMonths: [],
      calendarMonthsOf: [2021, 2022],
    });
    await store.close();
  });

  it("writes the twelve rows again for every year of the store: what knows no attribute reads it too", async () => {
    const path = await daily("layout.zarr");
    await normalizeStore(path, ["2021-01-01", "2021-12-31"], "calendar-month");
    const store = await openStore(path);
    const [whole, points] = [await readAll(store.arrays.global_norm!), await readAll(store.arrays.norm!)];
    expect(store.arrays.global_norm!.shape).toEqual([36, 2, 2, 2]);
    for (const values of [whole, points]) {
      const year = values.length / 3;
      expect(values.every(Number.isFinite)).toBe(true);
      expect([1, 2].map((k) => values.slice(k * year, (k + 1) * year))).toEqual([
        values.slice(0, year),
        values.slice(0, year),
      ]);
    }
    // no two calendar months are the same
    expect(new Set(Array.from({ length: 12 }, (_, month) => whole[month * 8])).size).toBe(12);
    await store.close();
  });

  it("a store that has grown finds its calendar months by the attribute, and without it refuses", async () => {
    const short = await daily("short.zarr", { steps: 365 });
    await normalizeStore(short, null, "calendar-month");
    const grown = await daily("grown.zarr");
    cpSync(join(short, "normalization"), join(grown, "normalization"), { recursive: true });
    const store = await openStore(grown);
    for (const kind of ["global", "local"] as const) {
      const { mean } = await monthlyNormalization(store, "b", source(store), kind, [2, 26]);
      expect(mean.get(26)).toEqual(mean.get(2));
    }
    expect((await describeStore(store, false)).normalization.missingMonths).toEqual([]);
    await store.close();
    writeFileSync(join(grown, "normalization", ".zattrs"), "{}");
    const without = await openStore(grown);
    await expect(monthlyNormalization(without, "b", source(without), "global", [26])).rejects.toThrow(
      /the normalisation ends before the data; found 12 months.*expected month 26 \(2023-03\).*--by calendar-month/,
    );
    await without.close();
  });

  it("a calendar month without a step is told, and refused when a time needs it", async () => {
    const path = await daily("spring.zarr");
    const summary = await normalizeStore(path, ["2021-01-01", "2021-03-31"], "calendar-month");
    expect(summary).toMatchObject({ months: 3, missingMonths: [4, 5, 6, 7, 8, 9, 10, 11, 12] });
    const store = await openStore(path);
    const read = (month: number) => monthlyNormalization(store, "b", source(store), "global", [month]);
    expect((await read(24)).mean.get(24)![0]).toBe((await read(0)).mean.get(0)![0]);
    await expect(read(15)).rejects.toThrow(/b level 2 in 2022-04.*saw no such month in 2021.*a longer period/s);
    expect((await describeStore(store, false)).normalization.missingMonths).toContain("2022-04");
    await store.close();
  });

  it("month by month afterwards takes the attribute away", async () => {
    const path = await daily("back.zarr");
    await normalizeStore(path, null, "calendar-month");
    await normalizeStore(path, ["2021-01-01", "2021-12-31"]);
    expect(existsSync(join(path, "normalization", ".zattrs"))).toBe(false);
    const store = await openStore(path);
    expect(store.normalizationYears).toBeNull();
    await expect(monthlyNormalization(store, "b", source(store), "global", [13])).rejects.toThrow(
      /in 2022-02.*--by calendar-month for months after the period/s,
    );
    await store.close();
  });

  it.each([
    [{ by: "season" }, /attribute by: .*found season; expected month or calendar-month/],
    [{ by: "calendar-month" }, /attribute years: /],
    [{ by: "calendar-month", years: ["2021"] }, /attribute years: /],
  ])("refuses the attributes %j", async (attributes, message) => {
    const path = await daily("attributes.zarr", { steps: 4 });
    writeFileSync(join(path, "normalization", ".zattrs"), JSON.stringify(attributes));
    await expect(openStore(path)).rejects.toThrow(message);
  });

  it("leaves the store as it was when a value cannot be read", async () => {
    const path = await daily("damaged.zarr", { steps: 100 });
    await normalizeStore(path, null);
    const before = readFileSync(join(path, "normalization/global_norm/0.0.0.0"));
    writeFileSync(join(path, "data/1.0.0.0.0"), "damaged");
    await expect(normalizeStore(path, null, "calendar-month")).rejects.toThrow(/a chunk is damaged/);
    expect(readFileSync(join(path, "normalization/global_norm/0.0.0.0"))).toEqual(before);
    expect(existsSync(join(path, "normalization", ".zattrs"))).toBe(false);
  });
});

describe("a bare date at the end of normalizeStore's dates", () => {
  it.each([
    [6, "2021-01-02T18:00"],
    [1, "2021-01-02T23:00"],
    [24, "2021-01-02T00:00"],
  ])("takes the last step of its day (every %i h)", async (stepHours, last) => {
    const path = await daily(`end${stepHours}.zarr`, { stepHours, steps: 96 / stepHours });
    const { period, steps } = await normalizeStore(path, ["2021-01-01", "2021-01-02"]);
    expect([period[1], steps]).toEqual([last, 48 / stepHours]);
    const { period: first } = await normalizeStore(path, ["2021-01-01", "2021-01-02T00:00"]);
    expect(first[1]).toBe("2021-01-02T00:00");
  });
});
