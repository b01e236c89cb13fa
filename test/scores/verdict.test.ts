/** The verdict's three forms, of one field and of several, and that tables and verdict ask the same test. */
import { expect, it } from "vitest";
import { type AccumulatorOptions, scoreAccumulator } from "../../src/scores/accumulate.js";
import { type ScoreEntry, scoreReport } from "../../src/scores/report.js";
import { verdict } from "../../src/scores/verdict.js";
import { cubeOf, hideTimes, type Shape } from "./support.js";

const UNITS = { u: "m/s", t: "K", q: "g/kg" };
const OPTIONS: AccumulatorOptions = {
  predictors: ["model", "climatology", "linear_fit"],
  levels: {},
  grid: { lats: [], lons: [] },
};

/** The model's error at a time; `linear_fit` errs by 4 plus something, `climatology` by 9. */
type ErrorAt = (t: number) => number;

/** One point a time; `span`: times that share data. */
function scored(fields: Record<string, ErrorAt>, times: number, span = 1) {
  const accumulator = scoreAccumulator(OPTIONS);
  for (const [field, errorAt] of Object.entries(fields)) {
    for (let t = 0; t < times; t++) {
      const predictions = { model: [errorAt(t)], climatology: [9], linear_fit: [4 + wave(t)] };
      accumulator.addPoints({ field, initialTime: t, target: [0], D: 1, predictions, leads: 1, span }, (visit) => {
        visit({ at: 0, l: 0, kind: "masked", lead: 0, latitude: 0, longitude: 0, std: 1 });
      });
    }
  }
  return accumulator;
}

/** Without memory and of mean near zero. */
const wave = (t: number) => Math.sin(2.4 * t * t);
const better: ErrorAt = (t) => 3 + wave(t + 0.5);
const worse: ErrorAt = (t) => 6 + wave(t + 0.5);
const same: ErrorAt = (t) => 4 + wave(t + 0.5);
const sentenceOf = (fields: Record<string, ErrorAt>, times = 80, span = 1) =>
  verdict(scored(fields, times, span), { units: UNITS }).sentence;

it("begins with who wins, where the interval leaves zero out", () => {
  const { won, fields, sentence } = verdict(scored({ u: better }, 80), { units: UNITS });
  expect(won).toBe(1);
  expect(fields[0]).toMatchObject({ best: "linear_fit", wins: true, outcome: "beats", sentence });
  expect(fields[0].paired.high).toBeLessThan(0);
  expect(sentence).toMatch(
    /^The model beats the best simple baseline, linear fit, in u: RMSE \d\.\d\d against \d\.\d\d m\/s \(\d\d\.\d % less; 95 % of the difference -[\d.]+ to -[\d.]+ m\/s, \d+ blocks\)\.$/,
  );
  expect(sentenceOf({ u: worse })).toMatch(
    /^The model loses to the best simple baseline, linear fit, in u: .* more; 95 % of/,
  );
});

it("cannot tell apart what chance could explain, equal scores, and what is no number", () => {
  const { fields, won, sentence } = verdict(scored({ u: same }, 80), { units: UNITS });
  expect(won).toBe(0);
  expect(fields[0].paired.low).toBeLessThan(0);
  expect(fields[0].paired.high).toBeGreaterThan(0);
  expect(sentence).toMatch(
    /^The model and the best simple baseline, linear fit, cannot be told apart in u: RMSE .* 95 % of the difference -/,
  );
  expect(sentenceOf({ u: (t) => 4 + wave(t) }, 3)).toMatch(
    /^The model and .* cannot be told apart in u: RMSE [\d.]+ against [\d.]+ m\/s \(too few/,
  );
  expect(sentenceOf({ u: () => Number.NaN })).toMatch(
    /^The model and .* cannot be told apart in u: RMSE NaN .*not a number/,
  );
});

it("says too few to tell, one block in the singular", () => {
  expect(sentenceOf({ u: worse }, 3)).toMatch(
    /^The model loses to .* in u: RMSE .* more; too few to tell whether that holds: 1 independent block\)\.$/,
  );
  expect(sentenceOf({ u: better }, 20)).toMatch(
    /^The model beats .* too few to tell whether that holds: \d independent blocks\)\.$/,
  );
  // 80 initial times whose samples reach over 24 each are few
  expect(sentenceOf({ u: better }, 80, 24)).toMatch(
    /^The model beats .* too few to tell .*: \d independent blocks\)\.$/,
  );
});

it("is one sentence of several fields, each with its interval", () => {
  const interval = String.raw`\(95 % of the difference [-\d.]+ to [-\d.]+ (m/s|K|g/kg), \d+ blocks\)`;
  const field = (name: string, unit: string) =>
    String.raw`${name} [\d.]+ against [\d.]+ ${unit} of linear fit ${interval}`;
  const [u, t, q] = [field("u", "m/s"), field("t", "K"), field("q", "g/kg")];
  const cases: [Record<string, ErrorAt>, string][] = [
    [{ u: better, t: better }, `The model beats the best simple baseline in every field: ${u}, ${t}`],
    [{ u: worse, t: worse }, `The model loses to the best simple baseline in every field: ${u}, ${t}`],
    [{ u: same, t: same }, `The model and the best simple baseline cannot be told apart in every field: ${u}, ${t}`],
    [
      { u: worse, t: better, q: same },
      `The model beats the best simple baseline in 1 of 3 fields: ${t}; loses to it in 1 of 3 fields: ${u}; the two cannot be told apart in 1 of 3 fields: ${q}`,
    ],
    [
      { u: worse, t: same },
      `The model loses to the best simple baseline in 1 of 2 fields: ${u}; the two cannot be told apart in 1 of 2 fields: ${t}`,
    ],
  ];
  for (const [fields, expected] of cases) expect(sentenceOf(fields)).toMatch(new RegExp(`^${expected}\\.$`));
  expect(sentenceOf({ u: worse, t: better }, 3)).toMatch(
    /^The model beats .* t .* \(too few to tell whether that holds: 1 independent block\); loses to it .* \(too few/,
  );
});

it("is the test of minusBest, number for number", () => {
  const accumulator = scored({ u: better, t: same }, 120, 3);
  const report = scoreReport(accumulator);
  for (const { row, best, paired } of verdict(accumulator).fields) {
    const { low, high, value, significant, blocks, blockLength } = paired;
    const { minusBest } = report[row.field].all.all.global.rmse as ScoreEntry;
    expect(minusBest).toEqual({ baseline: best, value, low, high, significant, blocks, blockLength });
  }
});

it("counts cubes that share time steps as one block at most", () => {
  const shape: Shape = [1, 1, 4, 1, 1, 3, 1, 1];
  const spans = [0, 24].map((behind) => {
    const accumulator = scoreAccumulator({ predictors: ["model"], levels: {}, grid: { lats: [0], lons: [0] } });
    const cube = cubeOf(shape, () => 1, 100);
    const masked = hideTimes(cube, [3]);
    const batch = { cube, masked, field: "velocity_u", predictions: { model: masked.fields[0].target }, std: [1] };
    // a roll-out's later cubes belong to the initial time of the first
    accumulator.add({ ...batch, initialTime: 100 - behind });
    return accumulator.span();
  });
  expect(spans).toEqual([12, 36]);
});

it("says when there is nothing to compare", () => {
  expect(verdict(scoreAccumulator(OPTIONS)).sentence).toMatch(/nothing to compare/);
});

it("tells ridge regression beside the best simple baseline, whoever wins", () => {
  const accumulator = scoreAccumulator({ ...OPTIONS, predictors: ["model", "climatology", "linear_fit", "ridge"] });
  for (let t = 0; t < 80; t++) {
    const predictions = { model: [better(t)], climatology: [9], linear_fit: [4 + wave(t)], ridge: [2 + wave(t + 0.2)] };
    accumulator.addPoints({ field: "u", initialTime: t, target: [0], D: 1, predictions, leads: 1 }, (visit) => {
      visit({ at: 0, l: 0, kind: "masked", lead: 0, latitude: 0, longitude: 0, std: 1 });
    });
  }
  const { sentence, fields } = verdict(accumulator, { units: UNITS });
  expect(fields[0]).toMatchObject({ best: "linear_fit", outcome: "beats" });
  expect(sentence).toMatch(
    /^The model beats the best simple baseline, linear fit, .* blocks\); ridge regression, fitted to the training period, 2\.\d\d m\/s \(the model \d\d\.\d % more; 95 % of the difference [\d.]+ to [\d.]+ m\/s, \d+ blocks\)\.$/,
  );
  const rmse = scoreReport(accumulator, { units: UNITS }).u.all.all.global.rmse as ScoreEntry;
  expect(rmse.minusBest).toMatchObject({ baseline: "linear_fit", value: fields[0].paired.value, significant: true });
  expect(rmse.minusRidge).toMatchObject({ baseline: "ridge", value: fields[0].ridge?.paired.value, significant: true });
});

it("five times whose cubes overlap are one block", () => {
  expect(sentenceOf({ u: better }, 5, 12)).toMatch(/^The model beats .*too few to tell .*: 1 independent block\)\.$/);
});
