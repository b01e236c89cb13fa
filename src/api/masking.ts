/** `atmorep.masking`: which tokens a strategy hides, what remains to be seen around them, and strategies of your own. */
export {
  coarseSize,
  createMaskGenerators,
  createMaskStreams,
  emptyChoice,
  type LevelChoice,
  type MaskingStrategy,
  maskBatch,
  maskingSummary as summary,
  registerStrategy as register,
  resample,
  STRATEGIES as strategies,
  type StrategyConfig,
  sameInEverySample,
  TOKEN_KIND,
  tokensAtTimes,
} from "../masking/index.js";
