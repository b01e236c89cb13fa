/**
 * Masking: which tokens of a batch the network does not see, and what it sees in their place.
 *
 * @example
 * const generators = createMaskGenerators(config, fields);
 * const batch = maskBatch(cube, fields, config, generators);
 */
export {
  emptyChoice,
  isUnmasked,
  type LevelChoice,
  type MaskingStrategy,
  type StrategyConfig,
  sameInEverySample,
  tokensAtTimes,
} from "./choice.js";
export {
  createMaskGenerators,
  type LevelGenerators,
  type MaskGenerators,
  type MaskGeneratorsState,
} from "./generators.js";
export { type MaskOptions, maskBatch, maskInPlace } from "./maskBatch.js";
export { strategyOfBatch } from "./mix.js";
export { getStrategy, isBuiltIn, registerStrategy, STRATEGIES } from "./registry.js";
export { coarseSize, resample } from "./resample.js";
export { type BatchPlace, createMaskStreams, type MaskStreams } from "./streams.js";
export { type LevelSummary, type MaskingSummary, maskingSummary } from "./summary.js";
export { type MaskedBatch, type MaskedField, TOKEN_KIND } from "./types.js";
