import { describe, expect, it } from "vitest";
import {
  calendarOf,
  cfTimeCode,
  civilFromDays,
  datetimeCode,
  daysFromCivil,
  formatTime,
  parseTime,
} from "../../src/data/time.js";
import { scaleTokenInfos, TOKEN_INFOS_TRANSFORMATIONS, transformTokenInfos } from "../../src/data/tokenInfos.js";
import fc from "../support/property.js";

describe("calendar", () => {
  it("agrees with the JavaScript date over all years that 64-bit nanoseconds hold", () => {
    fc.assert(
      fc.property(fc.integer({ min: -106_000, max: 106_000 }), (days) => {
        const date = new Date(days * 86_400_000);
        const expected = { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
        expect(civilFromDays(days)).toEqual(expected);
        expect(daysFromCivil(expected.year, expected.month, expected.day)).toBe(days);
      }),
    );
  });

  it("counts days from 0, and months from January of the first year", () => {
    const times = ["2020-11-30T18", "2020-12-31T23:59", "2021-03-01"].map((text) => parseTime(text)!);
    const calendar = calendarOf(BigInt64Array.from(times));
    expect([...calendar.dayOfYear]).toEqual([334, 365, 59]);
    expect([...calendar.month]).toEqual([10, 11, 14]);
    expect([...calendar.hour]).toEqual([18, 23, 0]);
  });

  it("reads and writes ISO times, and refuses what is none", () => {
    expect(formatTime(parseTime("1996-01-05T06:00")!)).toBe("1996-01-05T06:00");
    expect(formatTime(parseTime("1969-12-31T23:59:58")!)).toBe("1969-12-31T23:59:58");
    for (const text of ["", "1996", "1996-13-01", "2021-02-29", "1996-01-05T25", "yesterday"])
      expect(parseTime(text)).toBeNull();
  });

  it("reads CF units", () => {
    expect(cfTimeCode("hours since 1900-01-01 00:00:0.0")?.step).toBe(3_600_000_000_000n);
    expect(formatTime(cfTimeCode("days since 2000-03-01")!.origin)).toBe("2000-03-01T00:00");
    expect(cfTimeCode("months since 2000-01-01")).toBeNull();
    expect(cfTimeCode("degrees")).toBeNull();
    expect(cfTimeCode("constructor since 2000-01-01")).toBeNull();
    expect(datetimeCode("h", 6)?.step).toBe(21_600_000_000_000n);
    for (const count of [Number.NaN, 0.5, 0, -1, 1e308]) expect(datetimeCode("h", count)).toBeNull();
    expect(datetimeCode("constructor")).toBeNull();
  });
});

describe("transformations of token infos", () => {
  const infos = (...years: number[]) => Float32Array.from(years.flatMap((year) => [year, 1, 2, 3, 4, 5, 6, 7]));
  it.each([
    ["token_infos_transformation_year_1979_2017", [2017, 2022, 1979, 1985], [1979, 1984, 2017, 2023]],
    ["token_infos_transformation_year_1980_2015", [2015, 1982], [1980, 2017]],
    ["token_infos_transformation_el_nino", [2015, 2008, 1999], [2008, 2015, 1999]],
    ["identity", [1999], [1999]],
  ])("%s", (name, from, to) => {
    expect(transformTokenInfos(infos(...from), name)).toEqual(infos(...to));
  });

  it("refuses unknown names and years outside the table", () => {
    expect(() => transformTokenInfos(infos(2000), "shift")).toThrow(/unknown transformation.*identity/);
    expect(() => transformTokenInfos(infos(2016), "token_infos_transformation_year_1979_2017")).toThrow(
      /no shift for the year 2016/,
    );
    expect(Object.values(TOKEN_INFOS_TRANSFORMATIONS).every((t) => t.doc.endsWith("."))).toBe(true);
  });
});

describe("scaled token infos", () => {
  const raw = (day: number, hour: number) => [2019, day, hour, 500, 38, 355, 500, 0.25];
  const scaled = (day: number, hour: number) => [...scaleTokenInfos(Float32Array.from(raw(day, hour)), "scaled")];

  it("leaves them as they are where the key says raw or is absent", () => {
    for (const how of ["raw", undefined] as const) {
      expect([...scaleTokenInfos(Float32Array.from(raw(60, 18)), how)]).toEqual(raw(60, 18));
    }
  });

  it("gives numbers of size 1: year, day, hour, level, latitude, longitude", () => {
    const [year, cosDay, cosHour, level, latitude, longitude, sinHour, sinDay] = scaled(0, 6);
    for (const [found, expected] of [
      [year, 19 / 20],
      [cosDay, 1],
      [sinDay, 0],
      [cosHour, 0],
      [sinHour, 1],
      [level, 0],
      [latitude, 38 / 90 - 1],
      [longitude, 355 / 180 - 1],
    ]) {
      expect(found).toBeCloseTo(expected, 6);
    }
  });

  it("puts the last hour of a day and the last day of a year beside the first", () => {
    const distance = (a: number[], b: number[]) => Math.hypot(...a.map((x, i) => x - b[i]));
    expect(distance(scaled(10, 23), scaled(10, 0))).toBeLessThan(distance(scaled(10, 2), scaled(10, 0)));
    expect(distance(scaled(364, 0), scaled(0, 0))).toBeLessThan(distance(scaled(3, 0), scaled(0, 0)));
  });

  it("scales every token of an array", () => {
    const two = scaleTokenInfos(Float32Array.from([...raw(1, 2), ...raw(200, 12)]), "scaled");
    expect([...two]).toEqual([...scaled(1, 2), ...scaled(200, 12)]);
  });
});
