/** Data room: stores, sampling, normalisation, tokens, the loader. Plain typed arrays, no tensors. */
export { type CubeConfig, readCube, readSamples } from "./cube.js";
export { type FieldSource, type LevelSource, levelSource, resolveFields, windowSize } from "./fields.js";
export { type ImportOptions, type ImportSummary, importStore, parseFieldRequest } from "./import/index.js";
export { describeStore, type StoreInfo } from "./info/info.js";
export { monthlyNormalization, monthName, windowNormalization } from "./normalization/monthly.js";
export { type NormalizeBy, type NormalizeSummary, normalizeStore } from "./normalization/normalize.js";
export { type DataConfig, openData } from "./openData.js";
export { BufferPool } from "./pool.js";
export {
  type Admissible,
  admissible,
  admissibleTimes,
  drawEpoch,
  drawTimesAndPlaces,
  type SamplingConfig,
  type Split,
  timesOfYears,
} from "./sampling.js";
export { openStore, type Store, type StoreOptions } from "./store.js";
export { formatTime, parseTime } from "./time.js";
export { scaleTokenInfos, TOKEN_INFOS_TRANSFORMATIONS, tokenInfos, transformTokenInfos } from "./tokenInfos.js";
export { type TokenLayout, tokenize, tokenLayout, untokenize } from "./tokens.js";
export type { CubeBatch, Draw, FieldCube, FieldSamples, SampleBatch, Window } from "./types.js";
export { readValues, wholeWindow } from "./values.js";
export { makeWaves, WAVES_DEFAULTS, type WavesOptions, type WavesSummary } from "./waves.js";
export { windowOf, windowTimes } from "./window.js";
