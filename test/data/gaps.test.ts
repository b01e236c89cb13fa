import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { cubesOfStore, GapFinder, gapLine, unevenSteps, usualStep } from "../../src/data/gaps.js";
import { admissible, admissibleTimes, drawableTimes, drawEpoch } from "../../src/data/sampling.js";
import { openStore, type Store } from "../../src/data/store.js";
import { calendarOf, HOUR_NS } from "../../src/data/time.js";
import { windowTimes } from "../../src/data/window.js";
import fc from "../support/property.js";
import { dataConfig, temporaryFolder, tinyStore } from "./support.js";

const START = 455_832; // 2022-01-01
const folder = temporaryFolder();
let even: Store;
beforeAll(async () => {
  even = await openStore(await tinyStore(join(folder.path, "even.zarr"), { isGlobal: 0 }));
});
afterAll(async () => {
  await even.close();
  folder.remove();
});

/** The store with other times; nothing but axes is looked at by draws. */
function withHours(hours: readonly number[]): Store {
  const times = BigInt64Array.from(hours, (h) => BigInt(h) * HOUR_NS);
  return { ...even, times, calendar: calendarOf(times) };
}

const stretch = (first: number, count: number, step: number) =>
  Array.from({ length: count }, (_, i) => START + first + i * step);
const WHOLE: [string, string][] = [["2021-01-01", "2040-01-01"]];

describe("cubes across gaps", () => {
  test("no drawn cube crosses a gap, no other is left out, for random gaps and cubes", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(1, 1, 1, 1, 1, 1, 2, 3, 30), { minLength: 12, maxLength: 60 }),
        fc.constantFrom(1, 3, 6, 24),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 2, max: 5 }),
        fc.boolean(),
        (steps, hours, sampling, length, byDates) => {
          let at = START;
          const store = withHours([at, ...steps.map((n) => (at += n * hours))]);
          const years = [...new Set(store.calendar.year)];
          const config = dataConfig({
            n_size: [length, 6, 6],
            time_sampling: sampling,
            samples_per_time: 2,
            num_samples_per_epoch: 1000,
            batch_size: 2,
            dates_train: byDates ? WHOLE : null,
            years_train: years,
          });
          const usual = usualStep(store.times) * BigInt(sampling);
          const crosses = (i: number) => {
            const window = windowTimes(config, i);
            return [...window].some((t, k) => k > 0 && store.times[t] - store.times[window[k - 1]] !== usual);
          };
          const candidates: number[] = [];
          const end = byDates ? store.times.length : store.times.length - 1;
          for (let i = length * sampling; i <= end; i++) candidates.push(i);
          const whole = candidates.filter((i) => !crosses(i));
          if (whole.length === 0) {
            expect(() => drawEpoch({ config, store, split: "train", epoch: 0 })).toThrow(/no time can be drawn/);
            return;
          }
          expect(drawableTimes(config, store, "train")).toEqual({
            times: whole,
            acrossGaps: candidates.length - whole.length,
          });
          const draws = drawEpoch({ config, store, split: "train", epoch: 0 });
          expect(draws.length).toBeGreaterThan(0);
          expect(draws.filter(({ timeIndex }) => crosses(timeIndex))).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("a store without gaps keeps every time", () => {
    const store = withHours(stretch(0, 40, 6));
    const config = dataConfig({ dates_train: WHOLE });
    expect(drawableTimes(config, store, "train")).toEqual({
      times: Array.from({ length: 37 }, (_, k) => 4 + k),
      acrossGaps: 0,
    });
  });

  const year = (2023 - 2022) * 365 * 24;
  it.each<[string, number[], number, number[], number]>([
    // cubes of four steps: three ends lie in each gap
    ["two disjoint months", [...stretch(0, 12, 6), ...stretch(59 * 24, 12, 6)], 1, [9, 9], 3],
    ["daily steps with a missing day", [...stretch(0, 10, 24), ...stretch(11 * 24, 10, 24)], 1, [7, 7], 3],
    ["6-hourly with one missing step", [...stretch(0, 10, 6), ...stretch(66, 10, 6)], 1, [7, 7], 3],
    // every second step: ends 8 to 21 take times up to 19, ends from 28 on times from 20
    ["only January of two years, every second step", [...stretch(0, 20, 6), ...stretch(year, 20, 6)], 2, [14, 13], 6],
  ])("%s", (_, hours, sampling, [before, after], left) => {
    const store = withHours(hours);
    const config = dataConfig({ dates_train: WHOLE, time_sampling: sampling });
    const { times, acrossGaps } = drawableTimes(config, store, "train");
    const gap = unevenSteps(store.times);
    expect(gap).toHaveLength(1);
    expect(times.filter((i) => i <= gap[0] + sampling - 1)).toHaveLength(before);
    expect(times.filter((i) => i > gap[0] + sampling - 1)).toHaveLength(after);
    expect(acrossGaps).toBe(left);
    expect(admissible(config, store, "train").acrossGaps).toBe(left);
  });

  test("none or too few left: an error that says how many cubes cross gaps, and where", () => {
    const store = withHours([...stretch(0, 3, 6), ...stretch(240, 3, 6), ...stretch(480, 4, 6)]);
    const config = dataConfig({ dates_train: [["2022-01-01", "2022-01-15"]] });
    expect(() => admissibleTimes(config, store, "train")).toThrow(
      /dates_train: no time can be drawn.*3 times left out: their cubes would cross a gap.*a gap from 2022-01-01T12:00 to 2022-01-11T00:00.*6 h apart/,
    );
    const one = { ...config, dates_train: null, years_train: [2022], n_size: [3, 6, 6] as [number, number, number] };
    expect(() => drawEpoch({ config: { ...one, batch_size: 16 }, store, split: "train", epoch: 0 })).toThrow(
      /fewer samples than a batch.*3 times with samples_per_time 4, 4 times left out/,
    );
  });

  test("a shorter step is as uneven as a longer one", () => {
    const store = withHours([...stretch(0, 10, 6), ...stretch(57, 10, 6)]);
    expect(drawableTimes(dataConfig({ dates_train: WHOLE }), store, "train").acrossGaps).toBe(3);
  });

  test("months are no even steps: they are told as gaps", () => {
    const days = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    const store = withHours(days.map((d) => START + d * 24));
    expect(() => admissibleTimes(dataConfig({ dates_train: WHOLE }), store, "train")).toThrow(/cross a gap/);
  });

  test("the finder names the gap, and counts all cubes of a store", () => {
    const { times } = withHours([...stretch(0, 5, 6), ...stretch(240, 5, 6)]);
    const finder = new GapFinder(times, { n_size: [3], time_sampling: 1 });
    expect([5, 6, 7, 8].map((i) => finder.gapIn(i))).toEqual([
      null,
      "2022-01-02T00:00 to 2022-01-11T00:00",
      "2022-01-02T00:00 to 2022-01-11T00:00",
      null,
    ]);
    expect(cubesOfStore(times, { n_size: [3], time_sampling: 1 })).toEqual({ cubes: 8, acrossGaps: 2 });
    expect(cubesOfStore(times, { n_size: [12], time_sampling: 1 })).toEqual({ cubes: 0, acrossGaps: 0 });
  });

  test("of steps that are equally frequent the shortest is the regular one", () => {
    expect(usualStep(BigInt64Array.of(0n, 12n, 18n))).toBe(6n);
    expect(usualStep(BigInt64Array.of(5n))).toBe(0n);
  });

  test("the line of a plan has the word and both numbers", () => {
    const line = gapLine({ train: { times: 34, acrossGaps: 11 }, validate: { times: 20, acrossGaps: 0 } });
    expect(line).toContain("would cross a gap: 11 of 45 training times, 0 of 20 validation times");
  });
});
