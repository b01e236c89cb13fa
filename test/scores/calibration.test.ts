/** Calibration where the truth is known: ensembles drawn from the distribution of the target, and such that are not. */
import { describe, expect, it } from "vitest";
import { defaultRng } from "../../src/random/index.js";
import {
  applyFit,
  type CalibrationReport,
  type Consistency,
  calibrationReport,
  calibrationSample,
  crossFit,
  crpsGaussian,
  emosDistribution,
  emosFit,
  ensembleQuantity,
  fitAll,
  probabilityQuantity,
  type ScoreEntry,
  scoreAccumulator,
  scoreReport,
} from "../../src/scores/index.js";
import fc from "../support/property.js";

const POINTS = 15;

interface Drawn {
  seed: number;
  times: number;
  E: number;
  /** factor of the members' departures from their centre; 1 is calibrated */
  width?: number;
  /** added to every member */
  shift?: number;
  capacity?: number;
  /** false: diagrams only */
  fitted?: boolean;
}

/**
 * Targets and members are equally likely draws around a signal that both know; half of the variance of a draw is common
 * to all points of a time, so that points are no independent opinions.
 */
function simulate({ seed, times, E, width = 1, shift = 0, capacity, fitted = true }: Drawn) {
  const rng = defaultRng(seed);
  const sample = calibrationSample({ E, levels: { x: [500] }, capacity });
  const accumulator = scoreAccumulator({
    predictors: ["model"],
    levels: { x: [500] },
    grid: { lats: [], lons: [] },
    observer: sample.observer,
    quantities: [ensembleQuantity(E), probabilityQuantity(E)],
  });
  for (let t = 0; t < times; t++) {
    const signal = rng.standardNormal(POINTS);
    const common = rng.standardNormal(E + 1);
    const single = rng.standardNormal(POINTS * (E + 1));
    const draw = (i: number, e: number) => 0.6 * (common[e] + single[i * (E + 1) + e]);
    const target = Array.from(signal, (s, i) => s + draw(i, E));
    const members = Array.from({ length: POINTS * E }, (_, k) => {
      const i = Math.floor(k / E);
      return signal[i] + shift + width * draw(i, k % E);
    });
    const model = target.map((_, i) => members.slice(i * E, (i + 1) * E).reduce((a, b) => a + b, 0) / E);
    accumulator.addPoints(
      { field: "x", initialTime: t, target, D: 1, predictions: { model }, members, leads: 2, span: 1 },
      (visit) => {
        for (let at = 0; at < POINTS; at++) {
          visit({ at, l: 0, kind: "masked", lead: 1, latitude: 0, longitude: at, std: 2 });
        }
      },
    );
  }
  const given = fitted ? undefined : { parameters: {}, from: "nothing" };
  return { accumulator, sample, E, report: calibrationReport(accumulator, sample, { E, units: { x: "K" }, given })! };
}

const outside = ({ observed, low, high }: Consistency) => observed < low! || observed > high!;
const shareOf = (bars: Consistency[]) => bars.filter(outside).length / bars.length;
const leafOf = (report: CalibrationReport) => report.fields.x.levels.all;
const done = (report: CalibrationReport) => {
  const { calibrated } = leafOf(report);
  if ("refused" in calibrated) throw new Error(calibrated.refused);
  return calibrated;
};

describe("an ensemble that is calibrated", () => {
  const reports = Array.from({ length: 40 }, (_, seed) => simulate({ seed, times: 150, E: 5, fitted: false }).report);
  const bars = (of: (report: CalibrationReport) => Consistency[]) =>
    reports.flatMap(of).filter(({ note }) => note === undefined);

  it("has flat ranks and reliability on the line of its size, outside the bars in about 5 of 100 cases", () => {
    const ranks = bars((report) => leafOf(report).ranks);
    expect(ranks.length).toBeGreaterThan(200);
    expect(shareOf(ranks)).toBeGreaterThan(0.02);
    expect(shareOf(ranks)).toBeLessThan(0.09);
    const reliability = bars((report) => Object.values(leafOf(report).reliability).flat());
    expect(reliability.length).toBeGreaterThan(500);
    expect(shareOf(reliability)).toBeGreaterThan(0.02);
    expect(shareOf(reliability)).toBeLessThan(0.09);
    // bars of independent points would be too narrow: the common half of the variance counts once a time
    const [{ low, high }] = leafOf(reports[0]).ranks;
    expect(high! - low!).toBeGreaterThan(2 * 1.96 * Math.sqrt(((1 / 6) * (5 / 6)) / (150 * POINTS)));
  });

  it("does not lie on the diagonal if it is small, as expected from its own members", () => {
    const [first, , , , , last] = leafOf(reports[0]).reliability.mean;
    expect(first).toMatchObject({ probability: 0 });
    expect(first.expected).toBeGreaterThan(0.03);
    expect(last.expected).toBeLessThan(0.97);
    const total = reports
      .flatMap((report) => leafOf(report).reliability.mean)
      .filter(({ probability }) => probability === 0);
    const mean = (of: (bin: Consistency) => number) => total.reduce((sum, bin) => sum + of(bin), 0) / total.length;
    expect(Math.abs(mean(({ observed }) => observed) - mean(({ expected }) => expected))).toBeLessThan(0.01);
  });

  it("has errors as large as its spread, in every bin of spread", () => {
    const bins = reports.flatMap((report) => leafOf(report).spread_error).filter(({ note }) => note === undefined);
    const ratio = bins.reduce((sum, { spread, error }) => sum + error / spread, 0) / bins.length;
    expect(ratio).toBeGreaterThan(0.95);
    // in narrow bins of so few members the spread is narrow by chance, and the error is not
    expect(ratio).toBeLessThan(1.6);
  });

  it("is told in the field's unit, from every point", () => {
    const { accumulator, report, sample } = simulate({ seed: 3, times: 60, E: 4 });
    expect(sample.counts()).toEqual({ seen: 60 * POINTS, kept: 60 * POINTS });
    const scored = scoreReport(accumulator).x.all.all.global;
    expect(done(report).crps.raw).toBeCloseTo((scored.crps as ScoreEntry).value!, 12);
    expect(done(report).crps.unit).toBe("K");
    expect(done(report).brier_mean.raw).toBeCloseTo((scored.brier_mean as ScoreEntry).value!, 12);
    expect(done(report).spread_skill_ratio.raw).toBeCloseTo((scored.spread_skill_ratio as ScoreEntry).value!, 12);
    expect(report.fitted).toContain("each of 5 spans of times");
  });
});

describe("an ensemble that is too narrow and biased", () => {
  const { report, sample } = simulate({ seed: 7, times: 400, E: 6, width: 0.3, shift: 0.4 });

  it("shows in its ranks, its reliability and its spread", () => {
    const { ranks, reliability, spread_error } = leafOf(report);
    expect(shareOf(ranks)).toBeGreaterThan(0.5);
    expect(ranks[0].observed).toBeGreaterThan(0.4);
    expect(shareOf(reliability.mean)).toBeGreaterThan(0.5);
    for (const { spread, error } of spread_error) expect(error).toBeGreaterThan(1.5 * spread);
  });

  it("is mended by what was fitted to other times", () => {
    const { crps, spread_skill_ratio, pit, reliability, brier_mean } = done(report);
    expect(crps.calibrated).toBeLessThan(0.9 * crps.raw);
    expect(crps).toMatchObject({ significant: true });
    expect(crps.difference).toBeCloseTo(crps.calibrated - crps.raw, 12);
    expect(spread_skill_ratio.raw).toBeLessThan(0.5);
    expect(spread_skill_ratio.calibrated).toBeGreaterThan(0.93);
    expect(spread_skill_ratio.calibrated).toBeLessThan(1.07);
    expect(brier_mean.calibrated).toBeLessThan(brier_mean.raw);
    expect(pit.filter(outside).length).toBeLessThanOrEqual(2);
    const bars = Object.values(reliability)
      .flat()
      .filter(({ note }) => note === undefined);
    expect(shareOf(bars)).toBeLessThan(0.2);
    const [{ a, b, lead, level }] = report.fields.x.parameters;
    expect([lead, level]).toEqual([1, 500]);
    expect(a).toBeCloseTo(-0.4, 1);
    expect(b).toBeCloseTo(1, 1);
  });

  it("is calibrated by given parameters as they are", () => {
    const [points] = sample.points();
    const fitted = fitAll(points) as never;
    const { mean, std } = applyFit(points, fitted);
    const own = emosDistribution(fitted[0], points.mean[5], points.variance[5]);
    expect([mean[5], std[5]]).toEqual([own.mean, own.std]);
    expect(applyFit({ ...points, level: 850 }, fitted).mean[0]).toBeNaN();
  });
});

describe("fitting to one part and scoring another", () => {
  const { sample } = simulate({ seed: 11, times: 50, E: 3 });
  const [points] = sample.points();
  const times = Array.from({ length: 50 }, (_, t) => t);

  it("uses nothing of the span that is scored, nor of what shares data with it", () => {
    const before = crossFit(points, times, 4);
    const target = points.target.map((x, i) => (points.time[i] < 13 ? x + 100 : x));
    const after = crossFit({ ...points, target }, times, 4);
    if ("refused" in before || "refused" in after) throw new Error("refused");
    // times 0 to 9 are scored with what was fitted from time 13 on; the others see the change
    for (let i = 0; i < points.time.length; i++) {
      if (points.time[i] < 10) expect(after.mean[i]).toBe(before.mean[i]);
      else if (points.time[i] > 20) expect(after.mean[i]).not.toBe(before.mean[i]);
    }
  });

  it("says why where too little is left", () => {
    expect(crossFit(points, times, 60)).toMatchObject({
      refused: expect.stringContaining("0 points at 0 initial times"),
    });
    expect(crossFit(points, [7], 1)).toMatchObject({ refused: expect.stringContaining("one initial time") });
    const { report } = simulate({ seed: 1, times: 3, E: 3 });
    expect(leafOf(report).calibrated).toHaveProperty("refused");
    expect(report.fields.x.parameters).toEqual([]);
  });
});

describe("EMOS", () => {
  it("finds the numbers that the points were drawn with", () => {
    const rng = defaultRng(5);
    const M = 20_000;
    const mean = rng.standardNormal(M).map((x) => 280 + 3 * x);
    const variance = rng.standardNormal(M).map((x) => 2 * x * x);
    const noise = rng.standardNormal(M);
    const target = mean.map((m, i) => 28 + 0.9 * m + Math.sqrt(0.5 + 1.5 * variance[i]) * noise[i]);
    const { a, b, c, d, points } = emosFit({ target, mean, variance });
    expect(points).toBe(M);
    expect(b).toBeCloseTo(0.9, 1.5);
    expect(a + b * 280).toBeCloseTo(28 + 0.9 * 280, 1);
    expect(Math.abs(c - 0.5)).toBeLessThan(0.08);
    expect(Math.abs(d - 1.5)).toBeLessThan(0.1);
  });

  it("is least: no other numbers near by have a lower CRPS, whatever the points and their unit", () => {
    const point = fc.tuple(
      fc.double({ min: -5, max: 5, noNaN: true }),
      fc.double({ min: -5, max: 5, noNaN: true }),
      fc.double({ min: 0.01, max: 4, noNaN: true }),
    );
    fc.assert(
      fc.property(fc.array(point, { minLength: 12, maxLength: 60 }), fc.constantFrom(1e-3, 1, 1e4), (drawn, unit) => {
        const column = (k: number) => drawn.map((row) => row[k] * (k === 2 ? unit * unit : unit));
        const points = { target: column(0), mean: column(1), variance: column(2) };
        const { a, b, c, d, crps } = emosFit(points);
        expect(c).toBeGreaterThanOrEqual(0);
        expect(d).toBeGreaterThanOrEqual(0);
        for (const factor of [0.98, 1.02]) {
          for (const other of [
            { a: a + (factor - 1) * unit, b, c, d },
            { a, b: b + factor - 1, c, d },
            { a, b, c: c * factor, d },
            { a, b, c, d: d * factor },
          ]) {
            expect(meanCrps(points, other)).toBeGreaterThan(crps - 1e-7 * unit);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it("refuses what cannot be fitted", () => {
    expect(() => emosFit({ target: [1, 2], mean: [1, 2], variance: [1, 1] })).toThrow("2 points");
    expect(() => emosFit({ target: [1, 2, 3, Number.NaN], mean: [1, 2, 3, 4], variance: [1, 1, 1, 1] })).toThrow(
      "not finite",
    );
  });
});

function meanCrps(
  { target, mean, variance }: { target: number[]; mean: number[]; variance: number[] },
  parameters: Parameters<typeof emosDistribution>[0],
): number {
  return (
    target.reduce((sum, t, i) => {
      const own = emosDistribution(parameters, mean[i], variance[i]);
      return sum + crpsGaussian(own.mean, own.std, t);
    }, 0) / target.length
  );
}

it("a sample that is full keeps every point with the same probability", () => {
  const { sample } = simulate({ seed: 2, times: 400, E: 2, capacity: 2000, fitted: false });
  const { seen, kept } = sample.counts();
  expect(seen).toBe(400 * POINTS);
  expect(kept).toBeGreaterThan(1000);
  expect(kept).toBeLessThanOrEqual(2000);
  const [points] = sample.points();
  expect(points.time.length).toBe(kept);
  const early = points.time.filter((time) => time < 200).length / kept;
  expect(Math.abs(early - 0.5)).toBeLessThan(0.06);
});
