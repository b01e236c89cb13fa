import { describe, expect, it } from "vitest";
import { scoreAccumulator } from "../../src/scores/accumulate.js";
import { anomalyQuantity } from "../../src/scores/anomaly.js";
import { acc } from "../../src/scores/deterministic.js";
import {
  crpsEnsemble,
  crpsFair,
  crpsGaussian,
  ensembleMap,
  ensembleMean,
  ensembleVariance,
  rankHistogram,
  spread,
  spreadSkillRatio,
} from "../../src/scores/ensemble.js";
import { ensembleQuantity } from "../../src/scores/ensembleQuantity.js";
import { latitudeWeight } from "../../src/scores/latitude.js";
import { metricQuantities, registerMetric } from "../../src/scores/metrics.js";
import type { PointBatch } from "../../src/scores/quantity.js";
import { REGIONS } from "../../src/scores/regions.js";
import { type ScoreEntry, scoreReport } from "../../src/scores/report.js";
import fc from "../support/property.js";

const LATITUDES = [60, 10, -45, 0];

/** Points at four latitudes, one token of all of them a time. */
function reportOf(target: number[], members: number[][], std: number, times = 1, mean = members[0].map(() => 0)) {
  const E = members.length;
  const D = target.length;
  const predictions = { model: mean, climatology: target.map(() => 0) };
  const predictors = Object.keys(predictions);
  const accumulator = scoreAccumulator({
    predictors,
    levels: {},
    grid: { lats: [], lons: [] },
    regions: Object.values(REGIONS),
    quantities: [ensembleQuantity(E), anomalyQuantity(predictors, null), ...metricQuantities(["hit_rate"], E)],
  });
  const batch: Omit<PointBatch, "initialTime"> = {
    field: "f",
    target,
    D,
    predictions,
    members: members.flat(),
    climatology: target.map((_, i) => i / 7),
    leads: 1,
  };
  for (let initialTime = 0; initialTime < times; initialTime++) {
    accumulator.addPoints({ ...batch, initialTime }, (visit) => {
      target.forEach((_, at) => {
        visit({ at, l: 5, kind: "masked", lead: 0, latitude: LATITUDES[at % 4], longitude: 0, std });
      });
    });
  }
  return scoreReport(accumulator).f["5"]["0"];
}

registerMetric("hit_rate", {
  doc: "share within one unit",
  unitless: true,
  fn: ({ error }) => Number(Math.abs(error) < 1),
});

// hundredths, so that no square vanishes
const value = fc.integer({ min: -500, max: 500 }).map((n) => n / 100);
const ensemble = fc
  .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 2, max: 9 }))
  .chain(([E, D]) =>
    fc.tuple(
      fc.array(value, { minLength: D, maxLength: D }),
      fc.array(fc.array(value, { minLength: D, maxLength: D }), { minLength: E, maxLength: E }),
    ),
  );

describe("scores of a stream", () => {
  it("are those of the functions on arrays, weighted by latitude and scaled to physical units", () => {
    fc.assert(
      fc.property(ensemble, fc.double({ min: 0.5, max: 3, noNaN: true }), ([target, members], std) => {
        const E = members.length;
        const of = { values: members.flat(), E, D: target.length };
        const mean = [...ensembleMean(of)];
        const report = reportOf(target, members, std, 1, mean).global;
        const weights = target.map((_, i) => latitudeWeight(LATITUDES[i % 4]));
        const total = weights.reduce((a, b) => a + b, 0);
        const average = (values: ArrayLike<number>) => weights.reduce((sum, w, i) => sum + w * values[i], 0) / total;
        const found = (name: string) => (report[name] as ScoreEntry).value;
        expect(found("crps")).toBeCloseTo(std * average(ensembleMap(crpsEnsemble, of, target)), 9);
        expect(found("crps_fair")).toBeCloseTo(std * average(ensembleMap(crpsFair, of, target)), 9);
        const width = spread(of, weights);
        if ("refused" in width) {
          expect(report.crps_gaussian).toMatchObject({ value: null, refused: width.refused });
          expect(report.spread_skill_ratio).toMatchObject({ value: null, refused: width.refused });
          expect(report.rank_histogram).toBeUndefined();
        } else {
          const variance = ensembleVariance(of);
          const gaussian = target.map((t, i) => crpsGaussian(mean[i], Math.sqrt(variance[i]), t));
          expect(found("crps_gaussian")).toBeCloseTo(std * average(gaussian), 9);
          expect(found("spread")).toBeCloseTo(std * width.value, 9);
          const ratio = spreadSkillRatio(of, target, weights);
          if ("value" in ratio && ratio.value < 1e6) expect(found("spread_skill_ratio")).toBeCloseTo(ratio.value, 6);
          const ranks = rankHistogram(of, target, weights);
          report.rank_histogram!.value.forEach((share, r) => {
            expect(share).toBeCloseTo(ranks[r] / total, 9);
          });
        }
        const period = { from: 0n, to: 10n ** 18n };
        const later = { from: 10n ** 18n, to: 2n * 10n ** 18n };
        const climatology = target.map((_, i) => i / 7);
        const expected = acc(mean, target, climatology, {
          climatologyPeriod: period,
          evaluationPeriod: later,
          weights,
        });
        if ("value" in expected) expect(found("acc")).toBeCloseTo(expected.value, 9);
        expect(found("hit_rate")).toBeCloseTo(
          average(target.map((t, i) => Number(Math.abs(mean[i] - t) * std < 1))),
          9,
        );
      }),
      { numRuns: 60 },
    );
  });

  it("say too few to tell below eight blocks, and leave regions without points out", () => {
    const few = reportOf([1, 2], [[0, 0]], 1, 9);
    expect(few.global).toMatchObject({ times: 9, note: "too few to tell" });
    expect(Object.keys(few)).toEqual(["global", "tropics", "nh"]);
    const many = reportOf([1, 2], [[0, 0]], 1, 40).global;
    expect(many.blocks).toBe(10);
    expect(many.note).toBeUndefined();
    // equal times: the interval has no width, and a draw with the baseline is not significant
    const { low, high, value, minusBest } = many.rmse as ScoreEntry;
    expect([low, high]).toEqual([value, value]);
    expect(minusBest).toMatchObject({ value: 0, low: 0, high: 0, significant: false, blocks: 10, blockLength: 4 });
    expect(minusBest?.note).toBeUndefined();
    expect((few.global.rmse as ScoreEntry).minusBest?.note).toBe("too few to tell");
  });
});
