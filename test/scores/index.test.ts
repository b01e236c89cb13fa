import { expect, it } from "vitest";
import * as scores from "../../src/scores/index.js";

it("exports of atmorep/scores", () => {
  expect(Object.keys(scores).sort()).toEqual([
    "BASELINES",
    "MIN_BLOCKS",
    "REGIONS",
    "SCORED_KINDS",
    "acc",
    "anomalyQuantity",
    "automaticBlockLength",
    "baselineNames",
    "baselinePredictions",
    "bias",
    "blockLength",
    "boxRegion",
    "climatologyRefusal",
    "crpsEnsemble",
    "crpsFair",
    "crpsGaussian",
    "dampingFit",
    "ensembleMap",
    "ensembleMean",
    "ensembleQuantity",
    "ensembleVariance",
    "fitDamping",
    "formatScore",
    "isPeriodic",
    "latitudeWeight",
    "latitudeWeights",
    "mae",
    "metricNames",
    "metricQuantities",
    "namedRegion",
    "pairedTest",
    "quantityScores",
    "rankHistogram",
    "registerMetric",
    "ridgeBaseline",
    "rmse",
    "scoreAccumulator",
    "scoreInterval",
    "scoreReport",
    "scoreRow",
    "scoreRows",
    "scoreTree",
    "scoredKind",
    "spread",
    "spreadSkillRatio",
    "verdict",
    "weightedMean",
    "zonalPowerSpectrum",
  ]);
});

it("the example of its page runs", () => {
  // abs(e - t) is 0.4, 0.1, 0.4; pairs differ by 0.3, 0.5, 0.8: 0.3 - 1.6 / 9
  expect(scores.crpsEnsemble([0.1, 0.4, 0.9], 0.5)).toBeCloseTo(0.3 - 1.6 / 9, 12);
});
