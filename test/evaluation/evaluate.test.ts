import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { evaluate } from "../../src/evaluation/evaluate.js";
import { scoreResults } from "../../src/evaluation/scoreResults.js";
import { openResults } from "../../src/results/readResults.js";
import type { FieldSkill } from "../../src/runs/events.js";
import type { ScoreEntry } from "../../src/scores/index.js";
import { runAll, temporaryFolder, tinyConfig } from "../support/tinyRun.js";

const out = temporaryFolder();
const RUN = "tinyrun1";
let validated: FieldSkill;

const snapshot = (dir: string): string[] =>
  readdirSync(dir, { recursive: true, withFileTypes: true }).map(
    (entry) => `${entry.parentPath}/${entry.name} ${statSync(join(entry.parentPath, entry.name)).mtimeMs}`,
  );

beforeAll(async () => {
  const config = tinyConfig({ num_epochs: 1, log_test_num_ranks: 1 });
  validated = (await runAll(config, { out, runId: RUN })).finished.skill[0];
}, 120_000);

afterAll(() => rmSync(out, { recursive: true, force: true }));

describe("evaluate", () => {
  it("repeats validation, writes a folder of its own and leaves the run's files alone", async () => {
    const before = snapshot(join(out, "results", `id${RUN}`));
    const { scores, files, resultsDir, samples } = await evaluate({ run: RUN, out });
    expect(snapshot(join(out, "results", `id${RUN}`))).toEqual(before);
    expect(files.every(existsSync)).toBe(true);
    expect(samples).toBe(4);
    const leaf = scores.mean_sea_level_pressure.all.all.global;
    expect((leaf.rmse as ScoreEntry).value).toBe(validated.rmse.model);
    expect((leaf.rmse as ScoreEntry).baselines?.as_seen).toBe(validated.rmse.as_seen);
    expect(Object.keys(leaf.kinds!)).toEqual(["masked", "noised", "chosen"]);
    expect((leaf.acc as ScoreEntry).refused).toContain("under a year");
    expect((leaf.zonal_spectrum as ScoreEntry).refused).toContain("circles of latitude");
    expect(Object.keys(scores.mean_sea_level_pressure.all.all)).toEqual(["global", "nh"]);
    const written = JSON.parse(readFileSync(join(resultsDir, "scores.json"), "utf8"));
    expect(written.mean_sea_level_pressure.all.all.global.rmse.value).toBe((leaf.rmse as ScoreEntry).value);
    // the same stores, scored without the run
    const again = await scoreResults(resultsDir);
    const rmse = (again.scores.mean_sea_level_pressure.all.all.global.rmse as ScoreEntry).value!;
    expect(rmse / (leaf.rmse as ScoreEntry).value!).toBeCloseTo(1, 3);
  });

  it("forecasts, overwriting keys inside lists, and rolls the forecast out", async () => {
    const set = ["forecast_num_tokens=1", "batch_size_validation=1", "num_samples_validate=3", "fields[0][5][0]=0.4"];
    const one = await evaluate({ run: RUN, out, mode: "forecast", set });
    const leads = Object.keys(one.scores.mean_sea_level_pressure.all);
    expect(leads).toEqual(["1", "2", "3", "all"]);
    const two = await evaluate({
      run: RUN,
      out,
      mode: "forecast",
      set: [...set, "num_samples_validate=2"],
      rollout: 2,
    });
    const levels = two.scores.mean_sea_level_pressure;
    expect(Object.keys(levels.all)).toEqual(["1", "2", "3", "4", "5", "6", "all"]);
    const store = await openResults(two.files.find((path) => path.endsWith("_ens.zarr"))!);
    expect(store.arrays.get("mean_sea_level_pressure/sample=00000/data")?.shape).toEqual([2, 1, 6, 18, 18]);
    const time = (await store.read("mean_sea_level_pressure/sample=00000/datetime")) as unknown as BigInt64Array;
    const steps = Array.from(time.slice(1), (t, i) => t - time[i]);
    expect(new Set(steps)).toEqual(new Set([6n * 3_600_000_000_000n]));
    await store.close();
    expect((levels.all["6"].global.rmse as ScoreEntry).baselines).toHaveProperty("persistence");
  });

  it("takes a few times of each month around one position", async () => {
    const set = ["position=[40,260]", "num_samples_per_month=3"];
    const { samples, files } = await evaluate({ run: RUN, out, mode: "fixed_location", set });
    expect(samples).toBe(3);
    const store = await openResults(files.find((path) => path.endsWith("_source.zarr"))!);
    const lat = await store.read("mean_sea_level_pressure/sample=00002/lat");
    await store.close();
    expect(Number(lat[9])).toBe(40);
    await expect(evaluate({ run: RUN, out, mode: "fixed_location", set: ["position=[-40,260]"] })).rejects.toThrow(
      "no window around this position",
    );
  });

  it("tiles the store's grid, and blended grids hold the target", async () => {
    const set = ["forecast_num_tokens=1", "dates=[[1996,1,20,18]]", "token_overlap=[1,0]"];
    const { files, samples } = await evaluate({ run: RUN, out, mode: "global_forecast", set });
    expect(samples).toBe(4);
    const path = files.find((name) => name.endsWith("_global_target.zarr"))!;
    const store = await openResults(path);
    const group = "mean_sea_level_pressure/date=1996-01-20T18/ml=00000";
    expect(store.arrays.get(`${group}/data`)?.shape).toEqual([3, 29, 24]);
    const values = await store.read(`${group}/data`);
    expect(Array.from(values as Float32Array).every((value) => value > 90_000 && value < 110_000)).toBe(true);
    await store.close();
  });

  it("covers a range of dates", async () => {
    const set = ["forecast_num_tokens=1", "date_start=1996-01-20T06:00", "date_end=1996-01-20T18:00"];
    const { samples } = await evaluate({ run: RUN, out, mode: "global_forecast_range", set, stores: false });
    expect(samples).toBe(8);
  });

  it.each([
    [{ mode: "BERTT" }, "Did you mean BERT?"],
    [{ mode: "BERT", set: ["position=[1,2]"] }, "has no such option"],
    [{ mode: "global_forecast", set: ["dates=[[1990,1,1,0]]"] }, "the store has no such time"],
    [{ mode: "BERT", rollout: 2 }, "only a forecast can be fed back"],
    [{ mode: "forecast", set: ["encoder_num_layers=2"] }, "missing encoders.0.heads.1"],
  ])("refuses %j before anything is written", async (request, message) => {
    const before = readdirSync(join(out, "results"));
    await expect(evaluate({ run: RUN, out, ...request })).rejects.toThrow(message);
    expect(readdirSync(join(out, "results"))).toEqual(before);
  });
});
