/**
 * Scores and baselines on plain arrays (`atmorep/scores`).
 *
 * @example
 * import { crpsEnsemble, spreadSkillRatio } from "atmorep/scores";
 * crpsEnsemble([0.1, 0.4, 0.9], 0.5);
 * @module atmorep/scores
 */
export {
  type AccumulatorOptions,
  type ScoreAccumulator,
  type ScoreBatch,
  type ScoredPoint,
  scoreAccumulator,
} from "./accumulate.js";
export { anomalyQuantity } from "./anomaly.js";
export { type Damping, type DampingFit, dampingFit, fitDamping } from "./baselines/damping.js";
export {
  BASELINES,
  type Baseline,
  type BaselineParams,
  baselineNames,
  baselinePredictions,
} from "./baselines/registry.js";
export { type FieldSeries, type RidgeScores, type RidgeTask, ridgeBaseline } from "./baselines/ridge.js";
export type { BeforeAfter, CalibratedScores } from "./calibration/calibrated.js";
export { applyFit, type Calibrated, crossFit, type FittedEmos, fitAll } from "./calibration/crossFit.js";
export type { Consistency, ReliabilityBin, SpreadErrorBin } from "./calibration/diagrams.js";
export {
  type EmosFit,
  type EmosParameters,
  type EmosPoints,
  emosDistribution,
  emosFit,
} from "./calibration/emos.js";
export {
  type CalibrationLeaf,
  type CalibrationOptions,
  type CalibrationReport,
  calibrationReport,
  type FieldCalibration,
} from "./calibration/report.js";
export { type CalibrationSample, calibrationSample, type SampledPoints } from "./calibration/sample.js";
export { placeQuantity, type ScoresByTime, scoresByTime, type TimedCell } from "./card/byTime.js";
export {
  type CardCell,
  type CardComparison,
  type CardOptions,
  type CardOutcome,
  type ScoreCard,
  scoreCard,
} from "./card/card.js";
export { benjaminiHochberg } from "./card/falseDiscovery.js";
export type { CardEntry } from "./card/pair.js";
export { cosineTransform, type WindowSpectrum, windowPowerSpectrum } from "./dct.js";
export {
  type AccOptions,
  acc,
  bias,
  climatologyRefusal,
  mae,
  type Period,
  rmse,
  type Scored,
  weightedMean,
} from "./deterministic.js";
export {
  crpsEnsemble,
  crpsFair,
  crpsGaussian,
  ensembleMap,
  ensembleMean,
  ensembleVariance,
  type Members,
  rankHistogram,
  spread,
  spreadSkillRatio,
} from "./ensemble.js";
export { ensembleQuantity } from "./ensembleQuantity.js";
export { automaticBlockLength, blockLength } from "./intervals/blockLength.js";
export {
  type Interval,
  type IntervalOptions,
  MIN_BLOCKS,
  type PairedTest,
  pairedTest,
  scoreInterval,
  type TimeSums,
} from "./intervals/intervals.js";
export { latitudeWeight, latitudeWeights } from "./latitude.js";
export { type Metric, type MetricPoint, metricNames, metricQuantities, registerMetric } from "./metrics.js";
export {
  brierEnsemble,
  crpsTail,
  ensembleQuantile,
  membersAbove,
  quantileScore,
  type Tail,
} from "./probability.js";
export { probabilityQuantity, THRESHOLDS } from "./probabilityQuantity.js";
export type { AddPoint, PointBatch, PointPlace, Quantity } from "./quantity.js";
export { type Box, boxRegion, namedRegion, REGIONS, type Region } from "./regions.js";
export {
  quantityScores,
  type ReportOptions,
  type ScoreEntry,
  type ScoreLeaf,
  type ScoreReport,
  scoreReport,
} from "./report.js";
export { isPeriodic, type Spectrum, zonalPowerSpectrum } from "./spectrum.js";
export { type PredictorScores, type ScoreRow, type Selection, scoreRow, scoreRows, scoreTree } from "./summary.js";
export { SCORED_KINDS, type ScoredKind, scoredKind } from "./tokenKinds.js";
export { type FieldVerdict, formatScore, type Outcome, type Verdict, type VerdictOptions, verdict } from "./verdict.js";
