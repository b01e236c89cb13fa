import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { admissible, admissibleTimes, drawEpoch } from "../../src/data/sampling.js";
import { openStore, type Store } from "../../src/data/store.js";
import { windowOf } from "../../src/data/window.js";
import fc from "../support/property.js";
import { type DataConfig, dataConfig, GOLDEN_STORE, STORM, temporaryFolder, tinyStore } from "./support.js";

const folder = temporaryFolder();
let global: Store;
let storm: Store;
beforeAll(async () => {
  global = await openStore(GOLDEN_STORE);
  storm = await openStore(STORM);
});
afterAll(async () => {
  await Promise.all([global.close(), storm.close()]);
  folder.remove();
});

const stormConfig = (change: Partial<DataConfig> = {}) =>
  dataConfig({
    n_size: [12, 22.5, 45],
    years_train: [1996],
    years_val: [1996],
    dates_train: [["1996-01-05T00", "1996-01-15T18:00"]],
    dates_val: [["1996-01-17", "1996-01-20T18"]],
    num_samples_per_epoch: 100_000,
    num_samples_validate: 100_000,
    samples_per_time: 8,
    batch_size: 8,
    batch_size_validation: 8,
    ...change,
  });

describe("times of an epoch", () => {
  it("whole cubes lie in the dates, the last step of the store included", () => {
    expect(admissibleTimes(stormConfig(), storm, "train")).toEqual(Array.from({ length: 33 }, (_, k) => 12 + k));
    expect(admissibleTimes(stormConfig(), storm, "validate")).toEqual([60, 61, 62, 63, 64]);
  });

  it("by years the cube starts in the store and the end index is a time of the year", () => {
    const config = dataConfig({ n_size: [12, 30, 60], time_sampling: 2, years_train: [2021], years_val: [2022] });
    const times = admissibleTimes(config, global, "train");
    expect([times[0], times.at(-1), times.length]).toEqual([24, 215, 192]);
    expect(admissibleTimes(config, global, "validate").length).toBe(136);
  });

  it("month restricts the last time of the cube", () => {
    const config = dataConfig({ n_size: [12, 30, 60], years_train: [2021, 2022], month: [1] });
    // 2022-01-01T00 is step 216: the first cube whose last time lies in January ends before step 217
    expect(admissibleTimes(config, global, "train")[0]).toBe(217);
  });

  it("an epoch holds at most samples_per_time samples a time, each time equally often", () => {
    const draws = drawEpoch({ config: stormConfig(), store: storm, split: "train", epoch: 0 });
    expect(draws.length).toBe(33);
    expect(new Set(draws.map((d) => d.timeIndex)).size).toBe(33);
    const double = drawEpoch({ config: stormConfig({ samples_per_time: 16 }), store: storm, split: "train", epoch: 0 });
    expect(double.length).toBe(66);
    for (const half of [double.slice(0, 33), double.slice(33)])
      expect(new Set(half.map((d) => d.timeIndex)).size).toBe(33);
    const capped = drawEpoch({
      config: stormConfig({ num_samples_per_epoch: 20 }),
      store: storm,
      split: "train",
      epoch: 0,
    });
    expect(capped.length).toBe(2);
  });
});

describe("places of an epoch", () => {
  it("every window lies in the store, and the draws follow from seed, split and epoch alone", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("train" as const, "validate" as const),
        fc.nat(50),
        fc.nat(1000),
        fc.integer({ min: 1, max: 29 }),
        fc.integer({ min: 1, max: 24 }),
        (split, epoch, seed, rows, columns) => {
          const config = stormConfig({ rng_seed: seed, n_size: [12, rows * 1.25, columns * 2.5] });
          const draws = drawEpoch({ config, store: storm, split, epoch });
          for (const { timeIndex, places } of draws) {
            for (const place of places) {
              const window = windowOf(storm, config, timeIndex, place);
              expect([window.lat.length, window.lon.length]).toEqual([rows, columns]);
            }
          }
          expect(drawEpoch({ config, store: storm, split, epoch })).toEqual(draws);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("training and validation, and two epochs, differ", () => {
    const of = (split: "train" | "validate", epoch: number) =>
      JSON.stringify(
        drawEpoch({ config: stormConfig({ dates_val: stormConfig().dates_train }), store: storm, split, epoch }),
      );
    expect(new Set([of("train", 0), of("train", 1), of("validate", 0), of("validate", 1)]).size).toBe(4);
  });

  it("the rows of both poles can be read on a global store", () => {
    const config = dataConfig({
      n_size: [12, 30, 60],
      years_train: [2021, 2022],
      samples_per_time: 8,
      num_samples_per_epoch: 2000,
    });
    const draws = drawEpoch({ config, store: global, split: "train", epoch: 0 });
    const rows = new Set<number>();
    for (const { timeIndex, places } of draws)
      for (const place of places) for (const y of windowOf(global, config, timeIndex, place).lat) rows.add(y);
    expect([Math.min(...rows), Math.max(...rows), rows.size]).toEqual([0, 36, 37]);
  });

  it("centres keep to geo_range_sampling, also across the Greenwich meridian", () => {
    const at = (range: [[number, number], [number, number]]) => {
      const config = dataConfig({
        n_size: [12, 30, 60],
        years_train: [2021, 2022],
        geo_range_sampling: range,
        num_samples_per_epoch: 600,
      });
      const places = drawEpoch({ config, store: global, split: "train", epoch: 0 }).flatMap((d) => d.places);
      const { rows, columns } = admissible(config, global, "train");
      return {
        lats: [...new Set(places.map(([lat]) => 90 - lat))].sort((a, b) => a - b),
        lons: [...new Set(places.map(([, lon]) => lon))].sort((a, b) => a - b),
        rows,
        columns,
      };
    };
    expect(
      at([
        [30, 45],
        [100, 110],
      ]),
    ).toEqual({ lats: [30, 35, 40, 45], lons: [100, 105, 110], rows: 4, columns: 3 });
    expect(
      at([
        [-10, 0],
        [350, 10],
      ]),
    ).toEqual({ lats: [-10, -5, 0], lons: [0, 5, 10, 350, 355], rows: 3, columns: 5 });
    expect(
      at([
        [-10, 0],
        [-10, 10],
      ]).lons,
    ).toEqual([0, 5, 10, 350, 355]);
    expect(() =>
      at([
        [88, 90],
        [0, 360],
      ]),
    ).toThrow(/geo_range_sampling\[0\]: no window centre lies in the range/);
  });

  it("counts what can be drawn", () => {
    expect(admissible(stormConfig(), storm, "train")).toEqual({
      times: 33,
      places: 66,
      rows: 11,
      columns: 6,
      samplesPerEpoch: 264,
      batchesPerEpoch: 33,
      acrossGaps: 0,
    });
    const config = dataConfig({ n_size: [12, 30, 60], years_train: [2021] });
    expect(admissible(config, global, "train")).toMatchObject({ rows: 32, columns: 72 });
  });

  it("a grid that is shifted against the multiples of its step keeps whole windows", async () => {
    const store = await openStore(await tinyStore(`${folder.path}/shifted.zip`, { lat0: 30.3, lon0: 10.4 }));
    const config = dataConfig({ num_samples_per_epoch: 60, samples_per_time: 8 });
    for (const { timeIndex, places } of drawEpoch({ config, store, split: "train", epoch: 0 }))
      for (const place of places) expect(windowOf(store, config, timeIndex, place).lat.length).toBe(6);
    await store.close();
  });
});

describe("faults", () => {
  const failing: [string, Partial<DataConfig>, RegExp][] = [
    [
      "a year without data",
      { dates_train: null, years_train: [1990] },
      /years_train: no time can be drawn for training; found \[1990\]/,
    ],
    [
      "dates too short for a cube",
      { dates_train: [["1996-01-05", "1996-01-06"]] },
      /dates_train: no time can be drawn/,
    ],
    [
      "a date that is none",
      { dates_train: [["1996-02-30", "1996-03-01"]] },
      /dates_train\[0\]\[0\]: not an ISO time; found 1996-02-30/,
    ],
    ["a month without data", { month: [7] }, /no time can be drawn.*month \[7\]/],
    ["a window larger than the store", { n_size: [12, 45, 45] }, /n_size\[1\]: the window is larger than the store/],
    ["a window off the grid", { n_size: [12, 22, 45] }, /n_size\[1\]: the window is not a whole number of grid points/],
    ["a batch larger than the epoch", { batch_size: 512 }, /batch_size: an epoch has fewer samples than a batch/],
    ["no seed", { rng_seed: null }, /rng_seed: sampling needs a seed/],
  ];
  it.each(failing)("%s", (_, change, message) => {
    expect(() => drawEpoch({ config: stormConfig(change), store: storm, split: "train", epoch: 0 })).toThrow(message);
  });
});
