/**
 * The public API: the one door for notebooks and programs. Importing it loads neither TensorFlow.js nor any other
 * heavy library; functions that need one load it when they are called.
 *
 * @example
 * import * as atmorep from "atmorep";
 * const { config } = atmorep.resolveConfig({ preset: "storm" });
 * for await (const event of atmorep.train(config, { maxSteps: 20 })) if (event.type === "step") console.log(event.total);
 * @module atmorep
 */
export {
  checkConfig,
  configDocs,
  configWarnings,
  describeConfig,
  diffConfigs,
  presets,
  resolveConfig,
  validateConfig,
} from "./api/config.js";
export { type EvaluateOptions, evaluate, readAttention, scoreCard, scoreResults } from "./api/evaluation.js";
/** Losses of your own. Example: `atmorep.losses.register("mae", { doc: "mean absolute error", fn })`. */
export * as losses from "./api/losses.js";
/** Masking by itself, and strategies of your own. Example: `atmorep.masking.summary(config, 100)`. */
export * as masking from "./api/masking.js";
export { type LoadedModel, type LoadOptions, loadModel } from "./api/model.js";
export { bench, doctor, verify, versions } from "./api/program.js";
export {
  baselines,
  compareReport,
  compareRuns,
  listRuns,
  metrics,
  planRun,
  readRun,
  runReport,
  train,
} from "./api/runs.js";
/** Metrics of your own. Example: `atmorep.scores.register("hit_rate", { doc: "share within one unit", unitless: true, fn })`. */
export * as scores from "./api/scores.js";
export {
  createMaskGenerators,
  createMaskStreams,
  describeStore,
  displayUnit,
  drawEpoch,
  makeWaves,
  maskBatch,
  maskingSummary,
  normalizeStore,
  openData,
  openStore,
  parseFields,
  plainBatch,
  predictedFields,
  readCube,
  readValues,
  resolveStorePath,
  TOKEN_KIND,
  tokenize,
  tokenLayout,
  untokenize,
} from "./api/stages.js";
export { convertWeights, openWeights, readWeights, weightPath } from "./api/weights.js";
export { type Prepared, type PrepareOptions, prepare } from "./batches/prepare.js";
export type { ConfigDifference } from "./config/diff.js";
export type { Fault, FaultCode } from "./config/faults.js";
export type { Preset, PresetName } from "./config/presets.js";
export type { ResolvedConfig, ResolveOptions } from "./config/resolve.js";
export type { Field, FieldEntry, PredictedField, RunConfig, SetValues, Strategy } from "./config/types.js";
export type { StoreInfo } from "./data/info/info.js";
export type { Store } from "./data/store.js";
export type { CubeBatch, Draw, FieldCube, Window } from "./data/types.js";
export { AtmorepError, type ErrorCode, isAtmorepError } from "./errors.js";
export type { Evaluation } from "./evaluation/request.js";
export type { ScoredResults, ScoreResultsOptions } from "./evaluation/scoreResults.js";
export type { LossInputs, LossTools, OwnLoss } from "./losses/types.js";
export type { LevelChoice, MaskedBatch, MaskedField, MaskingStrategy, MaskingSummary } from "./masking/index.js";
export type { AttentionMap } from "./prediction/attentionMaps.js";
export type { PlainPrediction } from "./prediction/predictBatch.js";
export type { AttentionChoice, StoredAttention } from "./results/readAttention.js";
export type { FieldSkill, FinishedEvent, TrainEvent } from "./runs/events.js";
export type { RunDetails, RunSummary } from "./runs/list.js";
export type { RunReference } from "./runs/locate.js";
export type { MetricsRow } from "./runs/metrics.js";
export type { Metric, MetricPoint } from "./scores/metrics.js";
export type { ScoreEntry, ScoreLeaf, ScoreReport } from "./scores/report.js";
export type { TrainOptions } from "./training/options.js";
