/** A year after the normalisation's period: with statistics by calendar month it has a climatology, and so an ACC. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parseFields } from "../../src/config/fields.js";
import { normalizeStore } from "../../src/data/normalization/normalize.js";
import { openStore, type Store } from "../../src/data/store.js";
import { anomalyRefusal } from "../../src/evaluation/climatology.js";
import { evaluate } from "../../src/evaluation/evaluate.js";
import type { ScoreEntry } from "../../src/scores/index.js";
import { tinyStore } from "../data/support.js";
import { runAll, temporaryFolder } from "../support/tinyRun.js";
import { amplitude, COLUMNS, globeConfig, MEAN, ROWS } from "./globe.js";

const out = temporaryFolder();
afterAll(() => rmSync(out, { recursive: true, force: true }));

/** Daily from 2021-01-01 for two years and 20 days: an annual cycle everywhere, and a wave that moves. */
const twoYears = (name: string) =>
  tinyStore(join(out, name), {
    start: 447_072,
    stepHours: 24,
    steps: 750,
    rows: ROWS,
    columns: COLUMNS,
    res: [10, 10],
    lat0: 0,
    lon0: 0,
    isGlobal: 1,
    edit: (_, t, f, l, y, x) =>
      MEAN * (l + 1) +
      100 * f +
      8 * Math.cos((2 * Math.PI * t) / 365) +
      amplitude(y) * Math.cos(((2 * Math.PI) / COLUMNS) * (3 * x - 1.7 * t)),
  });

const config = (store: string) =>
  globeConfig(store, {
    dates_train: [["2021-01-01", "2021-12-31"]],
    dates_val: [["2022-06-01", "2022-12-31"]],
  });

const refusal = (store: Store, path: string, timeIndex: number) =>
  anomalyRefusal(store, parseFields(config(path)), [{ timeIndex, places: [[90, 180]] }], 6);

describe("a climatology by calendar month", () => {
  it("of one whole year serves the years after it, and none of its own", async () => {
    const path = await twoYears("refusals.zarr");
    await normalizeStore(path, ["2021-01-01", "2021-12-31"], "calendar-month");
    const store = await openStore(path);
    expect(refusal(store, path, 600)).toBeNull();
    // the first cube that lies after the period
    expect(refusal(store, path, 371)).toBeNull();
    expect(refusal(store, path, 370)).toMatch(/overlaps the evaluation/);
    await store.close();
    await normalizeStore(path, ["2021-01-01", "2021-12-30"], "calendar-month");
    const shorter = await openStore(path);
    expect(refusal(shorter, path, 600)).toMatch(/364 days, under a year/);
    await shorter.close();
  });

  it("lets a run of the first year be scored in the second, ACC included", async () => {
    const path = await twoYears("scored.zarr");
    await normalizeStore(path, ["2021-01-01", "2021-12-31"]);
    // month by month there is nothing after the period
    await expect(runAll(config(path), { out, runId: "monthrun" })).rejects.toThrow(
      /no valid normalisation for a .*2022/,
    );
    await normalizeStore(path, ["2021-01-01", "2021-12-31"], "calendar-month");
    await runAll(config(path), { out, runId: "calendar" });
    const { scores } = await evaluate({ run: "calendar", out, mode: "forecast" });
    const acc = scores.a.all.all.global.acc as ScoreEntry;
    expect(acc.refused).toBeUndefined();
    expect(Math.abs(acc.value!)).toBeLessThanOrEqual(1);
    expect(Number.isFinite(acc.value)).toBe(true);
  }, 120_000);
});
