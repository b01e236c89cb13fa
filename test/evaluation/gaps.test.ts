import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunConfig } from "../../src/config/types.js";
import { usualStep } from "../../src/data/gaps.js";
import { openStore, type Store } from "../../src/data/store.js";
import { windowTimes } from "../../src/data/window.js";
import { evaluationMode } from "../../src/evaluation/modes.js";
import { evaluationOptions } from "../../src/evaluation/readOptions.js";
import { stepHours } from "../../src/evaluation/scoring.js";
import { temporaryFolder, tinyStore } from "../data/support.js";
import { COLUMNS, globeConfig, ROWS } from "./globe.js";

const START = 455_832; // 2022-01-01
const folder = temporaryFolder();
let store: Store;
let config: RunConfig;
beforeAll(async () => {
  // 40 steps of January, 20 of March; the first step is missing its neighbour, so that no step may be taken from it
  const hours = [
    START,
    ...Array.from({ length: 39 }, (_, i) => START + 24 + 6 * i),
    ...Array.from({ length: 20 }, (_, i) => START + 59 * 24 + 6 * i),
  ];
  const grid = {
    rows: ROWS,
    columns: COLUMNS,
    res: [10, 10] as [number, number],
    lat0: 0,
    lon0: 0,
    isGlobal: 1 as const,
  };
  const path = await tinyStore(join(folder.path, "globe.zarr"), { hours, ...grid });
  store = await openStore(path);
  config = globeConfig(path, { dates_val: [["2022-01-08", "2022-03-05"]], num_samples_validate: 200 });
});

afterAll(async () => {
  await store.close();
  folder.remove();
});

const draws = (mode: string, set: string[] = [], rollout = { cubes: 1, shift: 0 }) =>
  evaluationMode(mode).draws({ config, store, options: evaluationOptions(set, mode), split: "validate", rollout })
    .draws;

const evenSteps = (timeIndex: number) => {
  const times = [...windowTimes(config, timeIndex)].map((t) => store.times[t]);
  return times.every((t, k) => k === 0 || t - times[k - 1] === usualStep(store.times));
};

describe("evaluation across gaps", () => {
  test.each(["forecast", "BERT", "fixed_location"])("%s draws no cube across a gap", (mode) => {
    const set = mode === "fixed_location" ? ["num_samples_per_month=50", "position=[10,180]"] : [];
    const ends = draws(mode, set).map(({ timeIndex }) => timeIndex);
    expect(ends.some((i) => i <= 40)).toBe(true);
    expect(ends.some((i) => i > 45)).toBe(true);
    expect(ends.filter((i) => !evenSteps(i))).toEqual([]);
  });

  test("a roll-out starts where every following cube is whole", () => {
    const rollout = { cubes: 3, shift: 3 };
    for (const { timeIndex } of draws("forecast", [], rollout)) {
      for (let c = 0; c < 3; c++) expect(evenSteps(timeIndex + c * 3), String(timeIndex)).toBe(true);
    }
  });

  test.each([
    [
      "a date",
      "global_forecast",
      ["dates=[[2022,3,1,6]]"],
      /dates\[0\]: the cube crosses a gap.*2022-01-11T12:00 to 2022-03-01T00:00/,
    ],
    [
      "a range of dates",
      "global_forecast_range",
      ["date_start=2022-03-01T00", "date_end=2022-03-02T00", "step_hours=6"],
      /date_start: the cube crosses a gap.*2022-03-01T00:00/,
    ],
    ["a date twice", "global_forecast", ["dates=[[2022,3,4,6],[2022,3,4,6]]"], /dates\[1\]: the date is named twice/],
  ])("%s across a gap is refused by name", (_, mode, set, message) => {
    expect(() => draws(mode, set)).toThrow(message);
    expect(draws("global_forecast", ["dates=[[2022,3,4,6]]"]).length).toBeGreaterThan(0);
  });

  test("a roll-out of a date is refused before it begins if it meets a gap or the end", () => {
    const rollout = { cubes: 3, shift: 3 };
    expect(() => draws("global_forecast", ["dates=[[2022,1,10,18]]"], rollout)).toThrow(
      /cube 3 of the roll-out crosses a gap/,
    );
    expect(() => draws("global_forecast", ["dates=[[2022,3,5,12]]"], rollout)).toThrow(
      /cube 2 of the roll-out ends after the store/,
    );
    const [last] = draws("global_forecast", [], rollout);
    expect(last.timeIndex + 6).toBeLessThanOrEqual(store.times.length);
  });

  test("hours of a lead step are the store's regular step, not its first", () => {
    expect(stepHours(store, 2)).toBe(12);
  });
});
