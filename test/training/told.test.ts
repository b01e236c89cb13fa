/** What is told at the end: the best weights on the test, and whether averaging the weights was of use. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { knownNames } from "../../src/checks/knownNames.js";
import { planRun } from "../../src/checks/plan.js";
import { finalLines } from "../../src/cli/train/screen.js";
import type { RunConfig } from "../../src/config/types.js";
import { validateConfig } from "../../src/config/validate.js";
import { drawEpoch } from "../../src/data/sampling.js";
import { openStore } from "../../src/data/store.js";
import { formatTime } from "../../src/data/time.js";
import { evaluate } from "../../src/evaluation/evaluate.js";
import type { FinishedEvent, TrainEvent } from "../../src/runs/events.js";
import { averagingLine } from "../../src/runs/toldOn.js";
import type { ScoreEntry, ScoreReport } from "../../src/scores/index.js";
import { runAll, temporaryFolder, tinyConfig } from "../support/tinyRun.js";

const out = temporaryFolder();
afterAll(() => rmSync(out, { recursive: true, force: true }));

const SPLITS = {
  dates_train: [["1996-01-05T00:00", "1996-01-10T18:00"]],
  dates_val: [["1996-01-11T00:00", "1996-01-14T18:00"]],
  dates_test: [["1996-01-16T00:00", "1996-01-20T18:00"]],
} as const;
const config = tinyConfig({ ...SPLITS, BERT_strategy: "temporal_interpolation", idx_time_mask: [1], ema_decay: 0.5 });
const rmseOf = (scores: ScoreReport) => (scores.mean_sea_level_pressure.all.all.global.rmse as ScoreEntry).value;

describe("a run with a test", () => {
  let finished: FinishedEvent;
  let events: TrainEvent[];
  beforeAll(async () => {
    ({ finished, events } = await runAll(config, { out, runId: "tested01" }));
  }, 120_000);

  it("tells the best weights on the test, as evaluate does", async () => {
    expect(finished.toldOn).toBe("test");
    const onTest = await evaluate({ run: "tested01@best", out, stores: false });
    expect(rmseOf(onTest.scores)).toBe(finished.skill[0].rmse.model);
    expect(onTest.about).toMatchObject({ split: "test", told_on: expect.stringContaining("told on the test") });
    expect(finished.verdict).toContain("too few to tell");
    // validation is still there for the asking, with other numbers
    const onValidation = await evaluate({ run: "tested01@best", out, stores: false, split: "validation" });
    expect(onValidation.toldOn).toMatch(/told on validation, which the best weights were chosen on/);
    expect(rmseOf(onValidation.scores)).not.toBe(finished.skill[0].rmse.model);
    const best = events.findLast((event) => event.type === "validated" && event.best);
    expect(rmseOf(onValidation.scores)).toBe(best?.type === "validated" ? best.skill[0].rmse.model : null);
    // a period of validation given anew is what is asked for
    const set = ['dates_val=[["1996-01-11","1996-01-15"]]'];
    expect((await evaluate({ run: "tested01", out, stores: false, set })).about.split).toBe("validation");
  });

  it("leaves nothing of the test in the metrics, and no stores", () => {
    const folder = join(out, "results", "idtested01");
    const rows = readFileSync(join(folder, "metrics.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((row) => JSON.parse(row));
    expect(rows.filter((row) => Object.keys(row).some((key) => key.startsWith("val.")))).toHaveLength(2);
    expect(existsSync(join(folder, "results_idtested01_epoch00002_pred.zarr"))).toBe(false);
  });

  it("says so on the last screen, and which weights are better", () => {
    const text = finalLines(finished, []).join("\n");
    expect(text).toMatch(/^test RMSE/m);
    expect(text).toContain("Scores and verdict are told on the test (dates_test)");
    const { averaged, raw } = finished.averaging!;
    const last = events.findLast((event) => event.type === "validated");
    expect(averaged).toBe(last?.type === "validated" ? last.loss : null);
    expect(raw).not.toBe(averaged);
    expect(text).toContain(averagingLine({ averaged, raw }));
    expect(averagingLine({ averaged: 0.2, raw: 0.1 })).toMatch(/raw weights are better.*0.1 against 0.2/);
    expect(averagingLine({ averaged: 0.1, raw: 0.2 })).toMatch(/averaged weights, which are saved, are better/);
  });

  it("draws cubes of the test alone, and plans them", async () => {
    const store = await openStore(config.file_path);
    try {
      const draws = drawEpoch({ config: { ...config, rng_seed: 1 }, store, split: "test", epoch: 0 });
      for (const { timeIndex } of draws) {
        expect(formatTime(store.times[timeIndex - 12]) >= "1996-01-16T00:00").toBe(true);
        expect(formatTime(store.times[timeIndex - 1]) <= "1996-01-20T18:00").toBe(true);
      }
      const none = { ...config, rng_seed: 1, dates_test: null };
      expect(() => drawEpoch({ config: none, store, split: "test", epoch: 0 })).toThrow(/no test period/);
    } finally {
      await store.close();
    }
    expect((await planRun(config)).times.test).toEqual({ times: 9, acrossGaps: 0 });
  });
});

it("without a test it is validation that is told, in one line", async () => {
  const { finished } = await runAll(tinyConfig({ num_epochs: 1, ema_decay: null }), { out, runId: "untested" });
  expect(finished).toMatchObject({ toldOn: "validation", averaging: null });
  expect(finalLines(finished, []).join("\n")).toMatch(/^Scores and verdict are told on validation; dates_test would/m);
  await expect(evaluate({ run: "untested", out, split: "test" })).rejects.toThrow(/the run has no test/);
}, 120_000);

describe("the times of a test", () => {
  const faults = (set: Partial<RunConfig>) =>
    validateConfig({ ...config, ...set }, knownNames()).map(({ code, path, what }) => `${code} ${path}: ${what}`);

  it("are apart from those of training and of validation", () => {
    expect(faults({})).toEqual([]);
    expect(faults({ dates_test: [["1996-01-10T18:00", "1996-01-10T23:00"]] })).toEqual([
      "test-overlaps dates_test[0]: the test overlaps training (dates_train[0])",
    ]);
    expect(
      faults({
        dates_test: [
          ["1996-01-16", "1996-01-17"],
          ["1996-01-14", "1996-01-15"],
        ],
      }),
    ).toEqual(["test-overlaps dates_test[1]: the test overlaps validation (dates_val[0])"]);
    // years count as well: nothing of a test may be learned from
    const years = { dates_train: null, dates_val: null, years_train: [1995], years_val: [1994] };
    expect(faults(years)).toEqual([]);
    expect(faults({ ...years, years_val: [1996] })).toEqual([
      "test-overlaps dates_test[0]: the test overlaps validation (years_val[0])",
    ]);
  });

  it("are times", () => {
    expect(faults({ dates_test: [["1996-01-17", "1996-13-01"]] })[0]).toMatch(/^bad-time dates_test\[0\]\[1\]/);
    expect(faults({ dates_test: [["1996-01-18", "1996-01-17"]] })).toEqual([
      "reversed dates_test[0]: the period ends before it starts",
    ]);
  });
});
