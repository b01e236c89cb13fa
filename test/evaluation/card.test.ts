/** Two runs evaluated alike and compared: calibration, scores by time, score cards, the page, the command line. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runReport } from "../../src/api/runs.js";
import { resolveConfig } from "../../src/config/resolve.js";
import { readScores } from "../../src/evaluation/calibration.js";
import { evaluate } from "../../src/evaluation/evaluate.js";
import { readScoreCard } from "../../src/evaluation/readCard.js";
import type { Evaluation } from "../../src/evaluation/request.js";
import { readScoreTimes } from "../../src/evaluation/scoreTimes.js";
import { svgFigure } from "../../src/notebook/figure/svg.js";
import * as nb from "../../src/notebook/index.js";
import type { ScoreEntry } from "../../src/scores/index.js";
import { tinyStore } from "../data/support.js";
import { runCli } from "../support/inProcess.js";
import { runAll, temporaryFolder } from "../support/tinyRun.js";

const out = temporaryFolder();
let [first, second]: Evaluation[] = [];

/** Six-hourly noise around a wave, 400 steps; the cubes of validation need not overlap. */
async function config(seed: number) {
  const store = join(out, "noise.zarr");
  if (!existsSync(store)) {
    let state = 7;
    const noise = () => {
      state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
      return state / 0x7fffffff - 0.5;
    };
    await tinyStore(store, {
      ...{ steps: 400, rows: 9, columns: 12, res: [5, 5], lat0: 20, lon0: 0 },
      edit: (_, t, _f, l, y, x) => 50 + 10 * l + 8 * Math.sin(t / 3 + x / 2 + y / 3) + 6 * noise(),
      norm: (_, statistic) => (statistic === 0 ? 50 : 8),
    });
  }
  return resolveConfig({
    preset: "storm",
    set: {
      file_path: store,
      fields: [["a", [1, 24, [], 0], [1, 2], [2, 2, 2], [1, 3, 3], [0.5, 0.9, 0.4, 0.3]]],
      fields_prediction: [["a", 1]],
      n_size: [2, 30, 30],
      years_train: [2022],
      years_val: [2022],
      dates_train: [["2022-01-01T00:00", "2022-01-15T18:00"]],
      dates_val: [["2022-01-16T00:00", "2022-04-10T18:00"]],
      BERT_strategy: "forecast",
      forecast_num_tokens: 1,
      batch_size: 2,
      batch_size_validation: 1,
      num_samples_per_epoch: 8,
      num_samples_validate: 60,
      num_epochs: 1,
      encoder_num_layers: 1,
      decoder_num_layers: 1,
      encoder_num_heads: 2,
      decoder_num_heads: 2,
      net_tail_num_nets: 4,
      log_test_num_ranks: 0,
      rng_seed: 1,
      torch_seed: seed,
    },
  }).config;
}

beforeAll(async () => {
  for (const seed of [1, 2]) await runAll(await config(seed), { out, runId: `cardrun${seed}` });
  const set = ["rng_seed=3"];
  first = await evaluate({ run: "cardrun1", out, runId: "cardeva1", set, stores: false });
  second = await evaluate({ run: "cardrun2", out, runId: "cardeva2", set, stores: false });
}, 240_000);
afterAll(() => rmSync(out, { recursive: true, force: true }));

describe("an evaluation", () => {
  it("keeps the sums behind its scores by time", async () => {
    const timed = await readScoreTimes(first.resultsDir);
    const { columns, times, cells, sums, dates } = timed;
    expect(dates).toHaveLength(times.length);
    const at = cells.findIndex(({ level, lead }) => level === 2 && lead === 1);
    const sum = (name: string) =>
      times.reduce((total, _, t) => total + sums[(at * times.length + t) * columns.length + columns.indexOf(name)], 0);
    const leaf = first.scores.a["2"]["1"].global;
    expect(Math.sqrt(sum("model.squares") / sum("weight"))).toBeCloseTo((leaf.rmse as ScoreEntry).value!, 12);
    expect(sum("model.crps_fair") / sum("weight")).toBeCloseTo((leaf.crps_fair as ScoreEntry).value!, 12);
    expect(sum("model.brier_mean") / sum("weight")).toBeCloseTo((leaf.brier_mean as ScoreEntry).value!, 12);
    expect(Math.sqrt(sum("persistence.squares") / sum("weight"))).toBeCloseTo(
      (leaf.rmse as ScoreEntry).baselines!.persistence,
      12,
    );
    expect(sum("points")).toBe(leaf.points);
  });

  it("tells the calibrated ensemble apart from the raw one, in scores.json as well", async () => {
    const { calibration, scores } = await readScores(first.resultsDir);
    expect(calibration).toEqual(JSON.parse(JSON.stringify(first.calibration)));
    expect(Object.keys(calibration!.fields.a.levels)).toEqual(["1", "2", "all"]);
    const leaf = calibration!.fields.a.levels.all;
    const { calibrated } = leaf;
    if ("refused" in calibrated) throw new Error(calibrated.refused);
    expect(calibrated.crps.raw).toBeCloseTo((scores.a.all.all.global.crps as ScoreEntry).value!, 10);
    // a network of a few steps is far from calibrated; four numbers mend most of it
    expect(calibrated.crps.calibrated).toBeLessThan(calibrated.crps.raw);
    expect(Math.abs(calibrated.spread_skill_ratio.calibrated - 1)).toBeLessThan(
      Math.abs(calibrated.spread_skill_ratio.raw - 1),
    );
    expect(leaf.ranks.map(({ observed }) => observed)).toEqual(
      (scores.a.all.all.global.rank_histogram as { value: number[] }).value.map((x) => expect.closeTo(x, 12)),
    );
  });

  it("is calibrated with what another period was fitted to, and not with its own", async () => {
    const again = { run: "cardrun1", out, stores: false, calibration: "cardeva1" };
    await expect(evaluate({ ...again, set: ["rng_seed=3"] })).rejects.toThrow("fitted to times that are to be scored");
    await expect(evaluate({ ...again, mode: "BERT", set: [] })).rejects.toThrow("another mode");
    const dates = 'dates_val=[["2022-01-02T00:00","2022-01-12T18:00"]]';
    const { calibration } = await evaluate({ ...again, set: [dates, "num_samples_validate=20"] });
    expect(calibration!.fitted).toContain("evaluation cardeva1, 2022-01-");
    const { calibrated } = calibration!.fields.a.levels.all;
    if ("refused" in calibrated) throw new Error(calibrated.refused);
    expect(calibrated.crps.calibrated).toBeLessThan(calibrated.crps.raw);
  });

  it("has spectra of its windows, whose bands add up, where all of a time step is forecast", () => {
    const spectrum = first.scores.a["1"].all.global.window_spectrum as {
      model: number[];
      target: number[];
      planes: number;
    };
    expect(spectrum.model).toHaveLength(5);
    expect(spectrum.planes).toBe(60);
    expect(spectrum.target.reduce((a, b) => a + b, 0)).toBeGreaterThan(20);
    const figure = nb.windowSpectra(first);
    expect(figure.panels[0].x.range[0]).toBeGreaterThan(figure.panels[0].x.range[1]);
  });

  it.each([
    ["a list", () => []],
    ["a field that is a number", (scores: Record<string, unknown>) => ({ ...scores, a: 1 })],
    [
      "a leaf without RMSE",
      (scores: Record<string, unknown>) => ({ ...scores, a: { all: { all: { global: { points: 1 } } } } }),
    ],
    ["calibration without fields", (scores: Record<string, unknown>) => ({ ...scores, _calibration: {} })],
    [
      "parameters that are a number",
      (scores: Record<string, unknown>) => ({
        ...scores,
        _calibration: { fitted: "", seen: 1, kept: 1, fields: { a: { parameters: 5, levels: { all: {} } } } },
      }),
    ],
  ])("is not calibrated with damaged scores, %s, and says so", async (_, damage) => {
    const dir = join(out, "results", "idcardbad1");
    mkdirSync(dir, { recursive: true });
    const whole = JSON.parse(readFileSync(join(first.resultsDir, "scores.json"), "utf8"));
    writeFileSync(join(dir, "scores.json"), JSON.stringify(damage(whole)));
    await expect(
      evaluate({ run: "cardrun1", out, stores: false, calibration: "cardbad1", set: ["rng_seed=3"] }),
    ).rejects.toMatchObject({
      name: "AtmorepError",
      message: expect.stringMatching(/scores\.json: the scores cannot be read/),
    });
    rmSync(dir, { recursive: true });
  });

  it("has a page of its own, and figures before and after", async () => {
    const page = await runReport("cardeva1", out);
    expect(page).toContain("AtmoRep evaluation cardeva1");
    for (const title of ["Reliability: a", "Ranks of the target: a", "Spread and error: a"])
      expect(page).toContain(title);
    expect(page).not.toContain("NaN");
    expect(nb.reliability(first).panels).toHaveLength(3);
    expect(nb.reliability(first, { level: 2 }).title).toContain("level 2");
    expect(nb.calibrationRanks(first).panels.map(({ title }) => title)).toEqual(["raw members", "calibrated"]);
    expect(nb.spreadError(first).caption).toContain("cross-fitted");
    expect(() => nb.reliability(first, { level: 9 })).toThrow(/1, 2, all/);
    expect(() => nb.reliability({ scores: first.scores })).toThrow("no calibration");
  });
});

describe("a score card", () => {
  it("is that of the two evaluations' own scores, by evaluation and by run", async () => {
    const card = await readScoreCard(["cardeva1", "cardeva2"], out);
    const [{ kind, first: a, second: b, cells }] = card.comparisons;
    expect([kind, a, b]).toEqual(["run", "cardrun2", "cardrun1"]);
    expect(cells).toHaveLength(2);
    const rmse = (evaluation: Evaluation, level: string) =>
      (evaluation.scores.a[level]["1"].global.rmse as ScoreEntry).value!;
    expect(cells[0].first).toBeCloseTo(rmse(second, "1"), 12);
    expect(cells[0].second).toBeCloseTo(rmse(first, "1"), 12);
    expect(card.comparisons.some((one) => one.kind === "baseline" && one.second === "persistence")).toBe(true);
    // the same test as `minusBest` of scores.json
    const own = (first.scores.a["1"]["1"].global.rmse as ScoreEntry).minusBest!;
    const best = card.comparisons.find((one) => one.kind === "best baseline" && one.first === "cardrun1")!.cells[0];
    expect([best.baseline, best.difference, best.blocks]).toEqual([
      own.baseline,
      expect.closeTo(own.value, 10),
      own.blocks,
    ]);
    expect((await readScoreCard(["cardrun2"], out)).evaluations).toEqual([{ id: "cardeva2", label: "cardrun2" }]);
    await expect(readScoreCard(["cardrun2", second], out)).rejects.toThrow("named twice");
  });

  it("draws itself in a notebook", async () => {
    const card = await nb.scoreCard(["cardeva1", "cardeva2"], { out, score: "crps" });
    expect(card.figure.title).toContain("crps");
    expect(await svgFigure(card.figure)).toContain("lead time");
    expect(card.table.rows[0]).toHaveLength(card.table.columns.length);
    const bundle = await card[nb.DISPLAY]();
    expect(Object.keys(bundle)).toContain("image/svg+xml");
  });

  it("refuses evaluations of other times, and damaged files", async () => {
    await evaluate({
      run: "cardrun2",
      out,
      runId: "cardeva3",
      set: ["rng_seed=4", "num_samples_validate=50"],
      stores: false,
    });
    await expect(readScoreCard(["cardeva1", "cardeva3"], out)).rejects.toThrow(/same initial times/);
    await expect(readScoreCard(["cardeva1", "cardrun2"], out)).rejects.toThrow(
      /several evaluations.*cardeva2.*cardeva3/s,
    );
    await expect(readScoreCard(["cardeva1", "nothing1"], out)).rejects.toThrow(/no evaluation of this run/);
    const path = join(out, "results", "idcardeva3", "scores_by_time.safetensors");
    const bytes = readFileSync(path);
    bytes[bytes.length - 9] ^= 1;
    writeFileSync(path, bytes);
    await expect(readScoreCard(["cardeva1", "cardeva3"], out)).rejects.toThrow(/digest|checksum/i);
  });

  it("is a table, a figure and JSON on the command line", async () => {
    const figure = join(out, "card.svg");
    const args = ["runs", "compare", "--scores", "cardeva1", "cardeva2", "--out", out];
    const { stdout, code } = await runCli(...args, "--figure", figure);
    expect(code).toBe(0);
    expect(stdout).toContain("cardrun2 against cardrun1: ");
    expect(stdout).toContain("best baseline");
    expect(readFileSync(figure, "utf8")).toContain("<svg");
    const json = JSON.parse((await runCli(...args, "--json", "--score", "mae")).stdout);
    expect(json.score).toBe("mae");
    expect(json.comparisons[0].cells).toHaveLength(2);
    expect((await runCli("runs", "compare", "cardeva1", "cardeva2", "--all", "--out", out)).code).toBe(2);
    expect((await runCli(...args, "--score", "acc")).code).toBe(2);
  });
});
