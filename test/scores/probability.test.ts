/** Scores of probabilities, quantiles, tails and windows: rules that hold whatever the numbers. */
import { describe, expect, it } from "vitest";
import { defaultRng } from "../../src/random/index.js";
import {
  brierEnsemble,
  cosineTransform,
  crpsEnsemble,
  crpsTail,
  ensembleQuantile,
  ensembleQuantity,
  probabilityQuantity,
  quantileScore,
  type ScoreEntry,
  scoreAccumulator,
  scoreReport,
  windowPowerSpectrum,
} from "../../src/scores/index.js";
import fc from "../support/property.js";

const number = fc.double({ min: -100, max: 100, noNaN: true });
const ensemble = fc.array(number, { minLength: 1, maxLength: 12 });

describe("a score of a part of the values", () => {
  it("adds up: both tails are the CRPS, and far thresholds leave all or nothing", () => {
    fc.assert(
      fc.property(ensemble, number, number, (members, target, threshold) => {
        const whole = crpsEnsemble(members, target);
        const tails = crpsTail(members, target, threshold, "above") + crpsTail(members, target, threshold, "below");
        expect(Math.abs(tails - whole)).toBeLessThan(1e-9 * (1 + whole));
        expect(crpsTail(members, target, -1000, "above")).toBeCloseTo(whole, 8);
        expect(crpsTail(members, target, 1000, "above")).toBe(0);
      }),
    );
  });

  it("is an integral: the CRPS is that of the Brier score over thresholds, and twice that of quantile scores", () => {
    const members = [0.1, 0.4, 0.9, 1.3];
    const steps = 20_000;
    let sum = 0;
    for (let k = 0; k < steps; k++) sum += brierEnsemble(members, 0.7, -1 + (4 * (k + 0.5)) / steps) * (4 / steps);
    expect(sum).toBeCloseTo(crpsEnsemble(members, 0.7), 3);
    let quantiles = 0;
    for (let k = 0; k < steps; k++) {
      const level = (k + 0.5) / steps;
      // the quantile of the members' step function
      quantiles += (2 * quantileScore(members[Math.floor(level * members.length)], 0.7, level)) / steps;
    }
    expect(quantiles).toBeCloseTo(crpsEnsemble(members, 0.7), 3);
  });

  it("has quantiles within the members, in order", () => {
    fc.assert(
      fc.property(
        ensemble,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (members, p, q) => {
          const [low, high] = [ensembleQuantile(members, Math.min(p, q)), ensembleQuantile(members, Math.max(p, q))];
          expect(low).toBeLessThanOrEqual(high + 1e-12 * Math.abs(high));
          expect(low).toBeGreaterThanOrEqual(Math.min(...members));
          expect(high).toBeLessThanOrEqual(Math.max(...members) + 1e-12);
        },
      ),
    );
    expect(() => quantileScore(0, 0, 1)).toThrow("level");
  });
});

it("a stream of points gives the mean of the functions, in physical units", () => {
  const rng = defaultRng(4);
  const [M, E] = [50, 4];
  const [target, members] = [rng.standardNormal(M), rng.standardNormal(M * E)];
  const of = (i: number) => members.slice(i * E, (i + 1) * E);
  const accumulator = scoreAccumulator({
    predictors: ["model"],
    levels: {},
    grid: { lats: [], lons: [] },
    quantities: [ensembleQuantity(E), probabilityQuantity(E)],
  });
  accumulator.addPoints(
    { field: "x", initialTime: 0, target, D: 1, predictions: { model: target }, members, leads: 1 },
    (visit) => {
      for (let at = 0; at < M; at++) visit({ at, l: 0, kind: "masked", lead: 0, latitude: 0, longitude: 0, std: 3 });
    },
  );
  const leaf = scoreReport(accumulator, { units: { x: "K" } }).x.all.all.global;
  const mean = (score: (members: Float64Array, target: number) => number) =>
    target.reduce((sum, t, i) => sum + score(of(i) as never, t), 0) / M;
  const expected: Record<string, [number, string]> = {
    brier_minus_1sd: [mean((m, t) => brierEnsemble(m, t, -1)), ""],
    brier_plus_1sd: [mean((m, t) => brierEnsemble(m, t, 1)), ""],
    crps_below_minus_1sd: [3 * mean((m, t) => crpsTail(m, t, -1, "below")), "K"],
    crps_above_plus_1sd: [3 * mean((m, t) => crpsTail(m, t, 1, "above")), "K"],
    quantile_90: [3 * mean((m, t) => quantileScore(ensembleQuantile(m, 0.9), t, 0.9)), "K"],
  };
  for (const [name, [value, unit]] of Object.entries(expected)) {
    expect((leaf[name] as ScoreEntry).value, name).toBeCloseTo(value, 12);
    expect((leaf[name] as ScoreEntry).unit).toBe(unit);
  }
});

describe("the spectrum of a window", () => {
  const shape = fc.tuple(fc.integer({ min: 2, max: 9 }), fc.integer({ min: 2, max: 12 }), fc.integer());

  it("holds the variance of the window, and not its mean", () => {
    fc.assert(
      fc.property(shape, number, ([H, W, seed], offset) => {
        const noise = defaultRng(Math.abs(seed)).standardNormal(H * W);
        const spectrum = windowPowerSpectrum(
          noise.map((x) => x + offset),
          H,
          W,
        );
        if ("refused" in spectrum) throw new Error(spectrum.refused);
        const mean = noise.reduce((a, b) => a + b, 0) / noise.length;
        const variance = noise.reduce((sum, x) => sum + (x - mean) * (x - mean), 0) / noise.length;
        const total = spectrum.power.reduce((a, b) => a + b, 0);
        expect(Math.abs(total - variance)).toBeLessThan(1e-8 * (1 + variance + offset * offset));
        expect(spectrum.power).toHaveLength(Math.min(H, W) - 1);
      }),
    );
  });

  it("finds a cosine in the band of its length", () => {
    const [H, W] = [16, 16];
    const values = Float64Array.from({ length: H * W }, (_, i) => Math.cos((Math.PI * 4 * ((i % W) + 0.5)) / W));
    const spectrum = windowPowerSpectrum(values, H, W);
    if ("refused" in spectrum) throw new Error(spectrum.refused);
    expect(spectrum.power[3]).toBeCloseTo(0.5, 12);
    expect(spectrum.wavelength[3]).toBe(8);
    expect(spectrum.power.filter((p) => p > 1e-20)).toHaveLength(1);
  });

  it("refuses lines and missing values", () => {
    expect(windowPowerSpectrum([1, 2, 3], 1, 3)).toHaveProperty("refused");
    expect(windowPowerSpectrum([1, 2, 3, Number.NaN], 2, 2)).toHaveProperty("refused");
    expect(() => cosineTransform([1, 2, 3], 2, 2)).toThrow("2 rows of 2");
  });
});
