/** Scores against numbers of Python packages; `test/python/scores.test.ts` compares them with the packages themselves. */

import { describe, expect, it } from "vitest";
import { acc, bias, climatologyRefusal, mae, rmse, type Scored } from "../../src/scores/deterministic.js";
import {
  crpsEnsemble,
  crpsFair,
  crpsGaussian,
  ensembleMap,
  ensembleMean,
  rankHistogram,
  spread,
  spreadSkillRatio,
} from "../../src/scores/ensemble.js";
import { latitudeWeights } from "../../src/scores/latitude.js";
import { isPeriodic, zonalPowerSpectrum } from "../../src/scores/spectrum.js";
import fc from "../support/property.js";

const near = (found: ArrayLike<number>, expected: number[]) => {
  expect(found.length).toBe(expected.length);
  expected.forEach((x, i) => {
    expect(found[i]).toBeCloseTo(x, 12);
  });
};
const scoreOf = (scored: Scored): number => ("value" in scored ? scored.value : Number.NaN);

const p = [1, 2.5, 3, 4.2];
const t = [1.2, 2, 3.5, 3.9];
const w = [1, 2, 0.5, 1];
const clim = [2, 2.2, 2.5, 2.1];
const members = [0.1, 0.4, 0.9, -0.3, 1.5, 1.5, 1.5, 1.5, 2, -1, 0.5, 3];
const targets = [0.5, 1, -2];

describe("deterministic scores", () => {
  it("weighted", () => {
    // xskillscore.rmse(p, t, weights=w), xskillscore.mae(...), scores.continuous.mean_error(...)
    near([rmse(p, t, w), mae(p, t, w), bias(p, t, w)], [0.40960685758148363, 0.38888888888888895, 0.18888888888888897]);
  });

  it("anomaly correlation, centred and not", () => {
    const day = 86_400_000_000_000n;
    const options = {
      climatologyPeriod: { from: 0n, to: 366n * day },
      evaluationPeriod: { from: 366n * day, to: 400n * day },
      weights: w,
    };
    // xskillscore.pearson_r(p - clim, t - clim, weights=w)
    expect(scoreOf(acc(p, t, clim, { ...options, centred: true }))).toBeCloseTo(0.9370297903069006, 12);
    // a, b = p - clim, t - clim; (w*a*b).sum() / np.sqrt((w*a*a).sum() * (w*b*b).sum())
    expect(scoreOf(acc(p, t, clim, options))).toBeCloseTo(0.9329220553266632, 12);
    expect(acc(clim, t, clim, options)).toEqual({ refused: "an anomaly is zero everywhere" });
  });

  it("anomaly correlation is refused for a short or overlapping climatology", () => {
    const day = 86_400_000_000_000n;
    const period = (from: bigint, to: bigint) => ({ from: from * day, to: to * day });
    expect(climatologyRefusal(period(0n, 364n), period(400n, 410n))).toMatch(/364 days, under a year/);
    expect(climatologyRefusal(period(0n, 730n), period(729n, 800n))).toMatch(/overlaps/);
    expect(climatologyRefusal(period(0n, 730n), period(730n, 800n))).toBeNull();
    const options = { climatologyPeriod: period(0n, 10n), evaluationPeriod: period(0n, 10n) };
    expect(acc(p, t, clim, options)).toHaveProperty("refused");
  });

  it("refuse arrays of other lengths", () => {
    expect(() => rmse([1, 2], [1])).toThrow(/differ in length/);
    expect(() => mae([], [])).toThrow(/differ in length/);
    expect(() => bias([1], [1], [1, 1])).toThrow(/differ in length/);
  });
});

describe("ensemble scores", () => {
  it("CRPS: Gaussian, ensemble, fair", () => {
    const cases = [
      [0.3, 0, 1],
      [-2, 0.5, 0.7],
      [4, 4, 2],
      [10, 0, 1],
    ];
    // [properscoring.crps_gaussian(x, mu, sig) for x, mu, sig in cases]
    near(
      cases.map(([x, mu, sig]) => crpsGaussian(mu, sig, x)),
      [0.2693329006866635, 2.105128773203889, 0.46738995451021825, 9.435810416452243],
    );
    expect(crpsGaussian(1, 0, 3)).toBe(2);
    // properscoring.crps_ensemble(targets, members.reshape(3, 4))
    near(ensembleMap(crpsEnsemble, { values: members, E: 4 }, targets), [0.18125, 0.5, 2.28125]);
    // scores.probability.crps_for_ensemble(members, targets, 'member', method='fair')
    near(ensembleMap(crpsFair, { values: members, E: 4 }, targets), [0.1, 0.5, 2]);
    expect(crpsFair([3], 1)).toBe(2);
  });

  it("CRPS equals the sums over pairs and is never below zero for the ensemble form", () => {
    const value = fc.double({ min: -100, max: 100, noNaN: true });
    fc.assert(
      fc.property(fc.array(value, { minLength: 2, maxLength: 12 }), value, (e, target) => {
        const E = e.length;
        let [error, pairs] = [0, 0];
        for (const a of e) {
          error += Math.abs(a - target) / E;
          for (const b of e) pairs += Math.abs(a - b) / 2;
        }
        expect(crpsEnsemble(e, target)).toBeCloseTo(error - pairs / (E * E), 9);
        expect(crpsFair(e, target)).toBeCloseTo(error - pairs / (E * (E - 1)), 9);
        expect(crpsEnsemble(e, target)).toBeGreaterThan(-1e-9);
        expect(crpsFair(e.fill(e[0]), target)).toBeCloseTo(Math.abs(e[0] - target), 9);
      }),
    );
  });

  it("spread and spread-skill ratio", () => {
    const ensemble = { values: members, E: 4 };
    // np.sqrt(np.var(members.reshape(3, 4), axis=1, ddof=1).mean())
    expect(scoreOf(spread(ensemble))).toBeCloseTo(1.0517181709522334, 12);
    const error = rmse(ensembleMean(ensemble), targets);
    expect(scoreOf(spreadSkillRatio(ensemble, targets))).toBeCloseTo(
      (Math.sqrt(5 / 4) * 1.0517181709522334) / error,
      12,
    );
    expect(spread({ values: targets, E: 1 })).toEqual({ refused: "one member has no spread" });
    expect(spreadSkillRatio({ values: targets, E: 1 }, targets)).toHaveProperty("refused");
    expect(spreadSkillRatio({ values: [1, 3], E: 2 }, [2])).toEqual({ refused: "the ensemble mean has no error" });
  });

  it("members of tokens lie [M, E, D]", () => {
    const values = [1, 2, 3, 10, 20, 30, 4, 5, 6, 40, 50, 60];
    expect([...ensembleMean({ values, E: 2, D: 3 })]).toEqual([5.5, 11, 16.5, 22, 27.5, 33]);
    expect(() => ensembleMap(crpsFair, { values, E: 2, D: 3 }, [1, 2])).toThrow(/do not fit/);
  });

  it("rank histogram, ties shared among the ranks they could take", () => {
    // xskillscore.rank_histogram(targets, members, dim="x", member_dim="m")
    expect([...rankHistogram({ values: members, E: 4 }, targets)]).toEqual([2, 0, 0, 1, 0]);
    near(rankHistogram({ values: [1, 1, 3], E: 3 }, [1]), [1 / 3, 1 / 3, 1 / 3, 0]);
    near(rankHistogram({ values: [1, 2], E: 1 }, [1, 0], [2, 6]), [7, 1]);
  });
});

describe("the zonal power spectrum", () => {
  const lons = [0, 60, 120, 180, 240, 300];

  it("is NumPy's", () => {
    const rows = [1, 4, -2, 0, 3, 2, 0, 1, 5, -1, 2, 2];
    // F = np.abs(np.fft.rfft(rows.reshape(2, 6)))**2 / 36; F[:, 1:3] *= 2; np.average(F, axis=0, weights=[1, .5])
    const expected = [1.9351851851851851, 0.7777777777777777, 2.4814814814814814, 0.5277777777777778];
    const spectrum = zonalPowerSpectrum(rows, lons, [1, 0.5]);
    near("power" in spectrum ? spectrum.power : [], expected);
  });

  it("sums to the mean square", () => {
    const value = fc.double({ min: -10, max: 10, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 9 }), fc.array(value, { minLength: 9, maxLength: 9 }), (W, xs) => {
        const row = xs.slice(0, W);
        const spectrum = zonalPowerSpectrum(
          row,
          row.map((_, i) => 5 + (i * 360) / W),
        );
        const sum = "power" in spectrum ? spectrum.power.reduce((a, b) => a + b, 0) : Number.NaN;
        expect(sum).toBeCloseTo(row.reduce((a, b) => a + b * b, 0) / W, 9);
      }),
    );
  });

  it("is refused for windows that are not periodic", () => {
    expect(zonalPowerSpectrum([1, 2, 3], [0, 10, 20])).toHaveProperty("refused");
    expect(isPeriodic([0, 90, 180, 270])).toBe(true);
    expect(isPeriodic([270, 180, 90, 0])).toBe(true);
    expect(isPeriodic([0, 90, 180, 360])).toBe(false);
    expect(isPeriodic([0])).toBe(false);
    expect(() => zonalPowerSpectrum([1, 2, 3, 4], lons)).toThrow(/whole rows/);
  });
});

it("latitude weights are cosines of mean one", () => {
  // w = np.cos(np.deg2rad([60, 0, -60, 90])); w / w.mean()
  near(latitudeWeights([60, 0, -60, 90]), [1, 2, 1, 0]);
});
