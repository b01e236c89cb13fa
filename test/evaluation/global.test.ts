import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { evaluate } from "../../src/evaluation/evaluate.js";
import type { Evaluation } from "../../src/evaluation/request.js";
import { scoreResults } from "../../src/evaluation/scoreResults.js";
import { openResults, type ResultStore } from "../../src/results/readResults.js";
import type { ScoreEntry } from "../../src/scores/index.js";
import { runAll, temporaryFolder } from "../support/tinyRun.js";
import { amplitude, COLUMNS, globeConfig, globeStore, MEAN, ROWS, WAVENUMBER, wave } from "./globe.js";

const out = temporaryFolder();
const DATE = "2022-01-14T18";
/** time index of the first forecast step of that date */
const FIRST = (13 * 24 + 18) / 6 - 2;
let evaluation: Evaluation;
let target: ResultStore;
let pred: ResultStore;

const storeOf = (kind: string, { files }: Evaluation = evaluation) =>
  openResults(files.find((path) => path.endsWith(`_${kind}.zarr`))!);
const floats = async (store: ResultStore, path: string) => (await store.read(path)) as Float32Array;

beforeAll(async () => {
  const store = await globeStore(out);
  await runAll(globeConfig(store), { out, runId: "globerun" });
  const set = ["dates=[[2022,1,14,18]]", "token_overlap=[1,1]"];
  evaluation = await evaluate({ run: "globerun", out, mode: "global_forecast", set });
  [target, pred] = [await storeOf("global_target"), await storeOf("global_pred")];
}, 120_000);

afterAll(async () => {
  await target?.close();
  await pred?.close();
  rmSync(out, { recursive: true, force: true });
});

/** First rows and columns of the tiles, and the weight of a tile at its place k, written out for this grid. */
const TILE = { height: 6, width: 12 };
const ROW_STARTS = [0, 3, 6, 9, 12, 13];
const COLUMN_STARTS = [0, 8, 16, 24, 32];

/** Linear ramps over the points shared with the tile before and the tile after; the lesser where three tiles meet. */
function ramp(k: number, size: number, before: number, after: number): number {
  const rise = k < before ? (k + 1) / (before + 1) : 1;
  const fall = k >= size - after ? (size - k) / (after + 1) : 1;
  return Math.min(rise, fall);
}

describe("global_forecast on a periodic grid with poles", () => {
  it("tiles from the North pole and longitude 0, with one more row that ends at the South pole", async () => {
    expect(evaluation.samples).toBe(ROW_STARTS.length * COLUMN_STARTS.length);
    const tiles = await storeOf("target");
    for (const [i, row] of ROW_STARTS.entries()) {
      for (const [j, column] of COLUMN_STARTS.entries()) {
        const group = `a/sample=${String(i * COLUMN_STARTS.length + j).padStart(5, "0")}`;
        expect([...(await floats(tiles, `${group}/lat`))]).toEqual(
          Array.from({ length: TILE.height }, (_, k) => 90 - 10 * (row + k)),
        );
        expect([...(await floats(tiles, `${group}/lon`))]).toEqual(
          Array.from({ length: TILE.width }, (_, k) => (10 * (column + k)) % 360),
        );
      }
    }
    await tiles.close();
  });

  it("the blended target is the truth everywhere, at poles and across longitude 0 too", async () => {
    for (const [l, level] of [1, 2].entries()) {
      const group = `a/date=${DATE}/ml=0000${level}`;
      expect(target.arrays.get(`${group}/data`)).toEqual({ shape: [3, ROWS, COLUMNS], dtype: "<f4" });
      const values = await floats(target, `${group}/data`);
      values.forEach((value, at) => {
        const [t, y, x] = [Math.floor(at / (ROWS * COLUMNS)), Math.floor(at / COLUMNS) % ROWS, at % COLUMNS];
        expect(Math.abs(value - wave(FIRST + t, l, y, x))).toBeLessThan(1e-4 * Math.abs(value));
      });
      expect([...(await floats(target, `${group}/lat`))]).toEqual(Array.from({ length: ROWS }, (_, y) => 90 - 10 * y));
    }
  });

  it("the blended forecast is the weighted sum of the tiles' forecasts", async () => {
    const tiles = await storeOf("pred");
    const expected = new Float64Array(3 * ROWS * COLUMNS);
    const weights = new Float64Array(ROWS * COLUMNS);
    for (const [i, row] of ROW_STARTS.entries()) {
      // the last row shares 5 rows with the one before, the others 3; every column shares 4 but the seam's 8
      const [above, below] = [i === 0 ? 0 : i === 5 ? 5 : 3, i === 5 ? 0 : i === 4 ? 5 : 3];
      for (const [j, column] of COLUMN_STARTS.entries()) {
        const [left, right] = [j === 0 ? 8 : 4, j === 4 ? 8 : 4];
        const values = await floats(tiles, `a/sample=${String(i * 5 + j).padStart(5, "0")}/data`);
        for (let y = 0; y < 6; y++) {
          for (let x = 0; x < 12; x++) {
            const weight = ramp(y, 6, above, below) * ramp(x, 12, left, right);
            const at = (row + y) * COLUMNS + ((column + x) % COLUMNS);
            weights[at] += weight;
            for (let t = 0; t < 3; t++) expected[t * ROWS * COLUMNS + at] += weight * values[(t * 6 + y) * 12 + x];
          }
        }
      }
    }
    await tiles.close();
    const blended = await floats(pred, `a/date=${DATE}/ml=00001/data`);
    const share = (at: number) => weights[at % weights.length];
    blended.forEach((value, at) => {
      expect(Math.abs(value - expected[at] / share(at))).toBeLessThan(1e-4 * Math.abs(value));
    });
  });

  it("the spectrum of the target has its one wave, that of the model its own power", async () => {
    const spectrum = evaluation.scores.a["1"]["1"].global.zonal_spectrum as { model: number[]; target: number[] };
    let [wanted, total] = [0, 0];
    for (let y = 0; y < ROWS; y++) {
      const weight = Math.max(0, Math.cos(((90 - 10 * y) * Math.PI) / 180));
      wanted += (weight * amplitude(y) ** 2) / 2;
      total += weight;
    }
    expect(spectrum.target).toHaveLength(COLUMNS / 2 + 1);
    expect(spectrum.target[WAVENUMBER]).toBeCloseTo(wanted / total, 3);
    expect(spectrum.target[0]).toBeCloseTo(MEAN * MEAN, 1);
    spectrum.target.forEach((power, k) => {
      if (k !== 0 && k !== WAVENUMBER) expect(power).toBeLessThan(1e-6);
    });
    // powers sum to the mean square of the blended forecast
    const values = await floats(pred, `a/date=${DATE}/ml=00001/data`);
    let square = 0;
    for (let at = 0; at < ROWS * COLUMNS; at++) {
      const weight = Math.max(0, Math.cos(((90 - 10 * Math.floor(at / COLUMNS)) * Math.PI) / 180));
      square += (weight * values[at] ** 2) / (COLUMNS * total);
    }
    expect(spectrum.model.reduce((a, b) => a + b, 0) / square).toBeCloseTo(1, 5);
  });

  it("regions are told apart, a box across longitude 0 too", async () => {
    const tiles = { target: await storeOf("target"), pred: await storeOf("pred") };
    const inside: Record<string, (lat: number, lon: number) => boolean> = {
      global: () => true,
      tropics: (lat) => Math.abs(lat) <= 20,
      nh: (lat) => lat > 20,
      sh: (lat) => lat < -20,
      seam: (lat, lon) => Math.abs(lat) <= 40 && (lon >= 330 || lon <= 60),
    };
    for (const [name, contains] of Object.entries(inside)) {
      let [sum, weights] = [0, 0];
      for (let s = 0; s < 30; s++) {
        const group = `a/sample=${String(s).padStart(5, "0")}`;
        const [a, b] = [await floats(tiles.target, `${group}/data`), await floats(tiles.pred, `${group}/data`)];
        const [lat, lon] = [await floats(tiles.target, `${group}/lat`), await floats(tiles.target, `${group}/lon`)];
        for (let at = 0; at < a.length; at++) {
          const [y, x] = [Math.floor(at / 12) % 6, at % 12];
          if (!contains(lat[y], lon[x])) continue;
          const weight = Math.max(0, Math.cos((lat[y] * Math.PI) / 180));
          sum += weight * (b[at] - a[at]) ** 2;
          weights += weight;
        }
      }
      const rmse = (evaluation.scores.a.all.all[name].rmse as ScoreEntry).value!;
      expect(rmse / Math.sqrt(sum / weights)).toBeCloseTo(1, 5);
    }
    await tiles.target.close();
    await tiles.pred.close();
  });
});

describe("spectra", () => {
  it("come from windows that go around the globe, also from their stores alone", async () => {
    const store = `${out}/globe.zarr`;
    const fields = [["a", [1, 24, [], 0], [1, 2], [2, 2, 9], [3, 3, 4], [0.5, 0.9, 0.4, 0.3]]];
    await runAll(globeConfig(store, { fields, n_size: [6, 60, 360] }), { out, runId: "circlrun" });
    const whole = await evaluate({ run: "circlrun", out, mode: "forecast" });
    const spectrum = whole.scores.a["2"]["3"].global.zonal_spectrum as { target: number[]; model: number[] };
    expect(spectrum.target.indexOf(Math.max(...spectrum.target.slice(1)))).toBe(WAVENUMBER);
    // at all leads stands the mean over the leads
    const leads = Object.keys(whole.scores.a["2"]).filter((lead) => lead !== "all");
    const at = (lead: string) => whole.scores.a["2"][lead].global.zonal_spectrum as typeof spectrum;
    expect(leads.length).toBeGreaterThan(1);
    for (const kind of ["target", "model"] as const) {
      for (const [k, power] of at("all")[kind].entries()) {
        const mean = leads.reduce((sum, lead) => sum + at(lead)[kind][k], 0) / leads.length;
        expect(power).toBeCloseTo(mean, 9);
      }
    }
    const again = (await scoreResults(whole.resultsDir)).scores.a["2"]["3"].global.zonal_spectrum as typeof spectrum;
    for (const kind of ["target", "model"] as const) {
      again[kind].forEach((power, k) => {
        expect(power).toBeCloseTo(spectrum[kind][k], 3);
      });
    }
  });

  it("are refused for windows that do not, with the reason", async () => {
    const { scores, resultsDir } = await evaluate({ run: "globerun", out, mode: "forecast" });
    const refused = (scores.a["1"]["1"].global.zonal_spectrum as { refused: string }).refused;
    expect(refused).toContain("not periodic in longitude");
    const again = (await scoreResults(resultsDir)).scores.a["1"]["1"].global.zonal_spectrum as { refused: string };
    expect(again.refused).toBe(refused);
  });
});
