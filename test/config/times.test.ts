import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { resolveConfig } from "../../src/config/resolve.js";
import { readConfigFile } from "../../src/config/text/files.js";
import { endTime, firstHour, parseIsoTime, withFullTimes } from "../../src/config/times.js";
import { parseTime } from "../../src/data/time.js";
import fc from "../support/property.js";

const folder = mkdtempSync(join(tmpdir(), "atmorep-times-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const HOUR = 3_600_000;
const dateOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);
/** any day from 1900 to 2100, as milliseconds since 1970 */
const days = fc.integer({ min: -25_567, max: 47_482 }).map((day) => day * 24 * HOUR);

describe("endTime", () => {
  it("a bare date ends with its last hour, a bare month with its last day", () => {
    expect(endTime("2019-03-10")).toBe("2019-03-10T23:00");
    expect(["2019-02", "2020-02", "2019-12"].map(endTime)).toEqual([
      "2019-02-28T23:00",
      "2020-02-29T23:00",
      "2019-12-31T23:00",
    ]);
  });

  it.each(["2019-03-10T00:00", "2019-03-10T06", "2019-03-10 06:30", "yesterday", ""])("leaves %s as it is", (text) => {
    expect(endTime(text)).toBe(text);
  });

  it("takes every step of its day and none of the next, whatever the step and wherever it starts", () => {
    fc.assert(
      fc.property(days, fc.constantFrom(1, 2, 3, 6, 12, 24), fc.nat(23), (day, step, offset) => {
        const end = endTime(dateOf(day));
        const times = Array.from({ length: 96 / step }, (_, k) => day + (k * step + offset - 48) * HOUR);
        for (const time of times) {
          const included = dateOf(time) <= dateOf(day);
          // both readers of times: of configurations, in seconds, and of the data room, in nanoseconds
          expect(time / 1000 <= parseIsoTime(end)!).toBe(included);
          expect(BigInt(time) * 1_000_000n <= parseTime(end)!).toBe(included);
        }
        // the last step of the day is among them
        expect(times.some((time) => dateOf(time) === dateOf(day))).toBe(true);
      }),
    );
  });
});

describe("withFullTimes", () => {
  it("writes bare dates as full times and leaves the rest to the rules", () => {
    const values = {
      dates_train: [
        ["2019-03-01", "2019-03-10"],
        ["2019-04-01T06", "2019-04-02T18:00"],
        ["2019-02-30", "2019-03-01"],
        ["2019-01-01"],
        7,
      ],
      dates_val: null,
      batch_size: 2,
    };
    const before = structuredClone(values);
    expect(withFullTimes(values, endTime)).toEqual({
      ...values,
      dates_train: [["2019-03-01T00:00", "2019-03-10T23:00"], ...values.dates_train.slice(1)],
    });
    expect(withFullTimes(values, firstHour).dates_train[0]).toEqual(["2019-03-01T00:00", "2019-03-10T00:00"]);
    expect(values).toEqual(before);
  });

  it("adds no key", () => {
    expect(withFullTimes({ batch_size: 2 }, endTime)).toEqual({ batch_size: 2 });
  });
});

describe("bare dates of a configuration", () => {
  const bare = [["2019-03-01", "2019-03-10"]];
  const write = (...path: string[]) => {
    const file = join(folder, ...path);
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, JSON.stringify({ dates_train: bare, dates_val: [["2019-04-01", "2019-04-10"]] }));
    return file;
  };

  it("a file, a preset's change and a value that is set give full times", () => {
    const { config } = resolveConfig({ file: write("mine.json"), set: ['dates_val=[["2019-05-01","2019-05-02"]]'] });
    expect(config.dates_train).toEqual([["2019-03-01T00:00", "2019-03-10T23:00"]]);
    expect(config.dates_val).toEqual([["2019-05-01T00:00", "2019-05-02T23:00"]]);
    const set = resolveConfig({ preset: "storm", set: ["dates_val[0][1]=1996-01-19"] }).config;
    expect(set.dates_val).toEqual([["1996-01-17T00:00", "1996-01-19T23:00"]]);
  });

  it("a run's own file keeps its reading, and only what is set is read anew", () => {
    const file = write("results", "idabcd1234", "model_idabcd1234.json");
    expect(readConfigFile(file).values.dates_train).toEqual([["2019-03-01T00:00", "2019-03-10T00:00"]]);
    const { config } = resolveConfig({ file, set: ["dates_val[0][1]=2019-04-12"] });
    expect(config.dates_train).toEqual([["2019-03-01T00:00", "2019-03-10T00:00"]]);
    expect(config.dates_val).toEqual([["2019-04-01T00:00", "2019-04-12T23:00"]]);
    expect(resolveConfig({ base: { dates_train: bare } }).config.dates_train).toEqual(config.dates_train);
  });
});
