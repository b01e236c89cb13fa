import { describe, expect, it } from "vitest";
import { TOKEN_KIND } from "../../src/masking/types.js";
import { scoreAccumulator } from "../../src/scores/accumulate.js";
import { baselinePredictions } from "../../src/scores/baselines/registry.js";
import { latitudeWeight } from "../../src/scores/latitude.js";
import { boxRegion, namedRegion } from "../../src/scores/regions.js";
import { scoreRow, scoreRows, scoreTree } from "../../src/scores/summary.js";
import { cubeOf, hideTimes, hideTokens, type Shape } from "./support.js";

const FIELD = "velocity_u";
const MASKED = TOKEN_KIND.chosen | TOKEN_KIND.masked;
const SHAPE: Shape = [2, 2, 4, 2, 2, 3, 2, 2];
const GRID = { lats: [10, 30, 60, 80], lons: [0, 90, 180, 270] };
const LEVELS = { [FIELD]: [500, 850] };
const all = { field: FIELD, level: "all", lead: "all", region: "global", kind: "all" } as const;

/** A batch whose hidden steps the model misses by `error(step)` and persistence by the change since the last step. */
function batchAt(time: number, error: number) {
  const cube = cubeOf(SHAPE, (l, b, step, row, column) => l + b + step + row * column, time);
  const masked = hideTimes(cube, [3]);
  const model = masked.fields[0].target.map((t) => t + error);
  const predictions = { model, ...baselinePredictions("forecast", cube, masked, FIELD) };
  return { cube, masked, field: FIELD, predictions, std: [2, 3] };
}

const accumulator = (options = {}) =>
  scoreAccumulator({
    predictors: ["model", "climatology", "persistence"],
    levels: LEVELS,
    grid: GRID,
    ...options,
  });

describe("scores of a stream of batches", () => {
  it("are the errors in physical units and in standard deviations, by level and lead", () => {
    const scores = accumulator();
    scores.add(batchAt(1, 0.5));
    scores.add(batchAt(2, -0.5));
    const row = scoreRow(scores, { ...all, level: 850, lead: 2 });
    expect(row?.times).toBe(2);
    expect(row?.points).toBe(2 * 2 * 16);
    expect(row?.scores.model.rmse).toBeCloseTo(1.5, 6);
    expect(row?.scores.model.mae).toBeCloseTo(1.5, 6);
    expect(row?.scores.model.bias).toBeCloseTo(0, 6);
    expect(row?.scores.model.rmseNorm).toBeCloseTo(0.5, 6);
    expect(row?.scores.persistence.rmse).toBeCloseTo(6, 6);
    expect(row?.scores.persistence.biasNorm).toBeCloseTo(-2, 6);
    for (const lead of [1, 2, 3]) {
      expect(scoreRow(scores, { ...all, lead })?.scores.persistence.rmseNorm).toBeCloseTo(lead, 6);
    }
    expect(scoreRow(scores, { ...all, lead: 4 })).toBeNull();
  });

  it("do not depend on how samples are spread over batches of one time", () => {
    const one = accumulator();
    one.add(batchAt(1, 0.5));
    const two = accumulator();
    two.add(batchAt(1, 0.5));
    two.add(batchAt(1, 0.5));
    const [a, b] = [scoreRow(one, all), scoreRow(two, all)];
    expect(b?.points).toBe(2 * (a?.points ?? 0));
    expect(b?.times).toBe(1);
    expect(b?.scores.persistence.rmse).toBeCloseTo(a?.scores.persistence.rmse ?? 0, 12);
  });

  it("weigh points by the cosine of their latitude, or not", () => {
    const shape: Shape = [1, 1, 2, 1, 1, 1, 2, 1];
    const cube = cubeOf(shape, (_l, _b, _step, row) => row + 1);
    const masked = hideTimes(cube, [1]);
    const batch = { cube, masked, field: FIELD, predictions: { model: new Float32Array(2) }, std: [1] };
    const options = { predictors: ["model"], levels: {}, grid: { lats: [30, 90], lons: [0] } };
    const [weighted, plain] = [true, false].map((latitudeWeighted) => {
      const scores = scoreAccumulator({ ...options, latitudeWeighted });
      scores.add(batch);
      return scoreRow(scores, { ...all, level: 0 })?.scores.model.rmse ?? 0;
    });
    const [w0, w1] = [latitudeWeight(60), latitudeWeight(0)];
    expect(weighted).toBeCloseTo(Math.sqrt((w0 * 1 + w1 * 4) / (w0 + w1)), 12);
    expect(plain).toBeCloseTo(Math.sqrt(5 / 2), 12);
  });

  it("leave out points that do not count", () => {
    const cube = cubeOf([1, 1, 2, 1, 1, 1, 1, 2], () => 1);
    cube.fields[0].valid = Uint8Array.of(1, 1, 1, 0);
    const masked = hideTimes(cube, [1]);
    const scores = scoreAccumulator({ predictors: ["model"], levels: {}, grid: GRID });
    scores.add({ cube, masked, field: FIELD, predictions: { model: Float32Array.of(3, 1e9) }, std: [1, 1] });
    expect(scoreRow(scores, all)).toMatchObject({ points: 1, scores: { model: { rmse: 2 } } });
  });

  it("tell regions apart by the store's axes", () => {
    const regions = [
      namedRegion("global"),
      namedRegion("nh"),
      boxRegion("far", [
        [-90, 90],
        [170, 350],
      ]),
    ];
    const scores = accumulator({ regions });
    scores.add(batchAt(1, 1));
    const points = (region: string) => scoreRow(scores, { ...all, region })?.points;
    // latitudes 80, 60, 30, 10; longitudes 0, 90, 180, 270
    expect([points("global"), points("nh"), points("far")]).toEqual([192, 144, 96]);
  });

  it("tell masked, noised, coarsened and only chosen tokens apart", () => {
    const cube = cubeOf([1, 1, 1, 1, 5, 1, 1, 1], () => 0);
    const bits = [0, MASKED | TOKEN_KIND.noised, TOKEN_KIND.noised, TOKEN_KIND.coarsened, 0];
    const masked = hideTokens(cube, (_l, _b, n) => (n === 0 ? 0 : bits[n] | TOKEN_KIND.chosen));
    const scores = scoreAccumulator({
      predictors: ["model"],
      levels: {},
      grid: { lats: [90], lons: [0, 1, 2, 3, 4] },
      byLead: false,
    });
    scores.add({ cube, masked, field: FIELD, predictions: { model: Float32Array.of(1, 2, 3, 4) }, std: [1] });
    const rmse = (["masked", "noised", "coarsened", "chosen"] as const).map(
      (kind) => scoreRow(scores, { ...all, kind })?.scores.model.rmse,
    );
    expect(rmse).toEqual([1, 2, 3, 4]);
  });

  it("refuse a missing prediction and standard deviations that fit nothing", () => {
    const batch = batchAt(1, 0);
    const scores = accumulator();
    expect(() => scores.add({ ...batch, predictions: {} })).toThrow(/missing or of the wrong length/);
    expect(() => scores.add({ ...batch, std: [1, 2, 3] })).toThrow(/standard deviations/);
  });

  it("come as rows and as a tree of field, level, lead, region, kind", () => {
    const scores = accumulator();
    scores.add(batchAt(1, 0.5));
    const rows = scoreRows(scores, {});
    expect(rows.map(({ level, lead }) => `${level}/${lead}`)).toEqual(
      ["all", 500, 850].flatMap((level) => ["all", 1, 2, 3].map((lead) => `${level}/${lead}`)),
    );
    expect(scoreTree(rows)).toHaveProperty([FIELD, "500", "1", "global", "masked", "scores", "model", "rmse"], 1);
    expect(rows[0].intervals?.model).toMatchObject({ blocks: 1, tooFew: true });
  });
});

it("refuses regions that are not known or not on the globe", () => {
  expect(() => namedRegion("europe")).toThrow(/unknown region/);
  expect(() => namedRegion("toString")).toThrow(/unknown region/);
  expect(() =>
    boxRegion("x", [
      [10, -10],
      [0, 1],
    ]),
  ).toThrow(/latitude range/);
  const meridian = boxRegion("x", [
    [0, 10],
    [350, 10],
  ]);
  expect([355, 5, -5, 20, 340].map((lon) => meridian.contains(5, lon))).toEqual([true, true, true, false, false]);
  expect(
    boxRegion("x", [
      [-90, 90],
      [0, 360],
    ]).contains(0, 359),
  ).toBe(true);
});
