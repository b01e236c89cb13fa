/** `atmorep.masking`: which tokens a strategy hides, and what remains to be seen around them. */
export {
  coarseSize,
  createMaskGenerators,
  maskBatch,
  maskingSummary as summary,
  resample,
  STRATEGIES as strategies,
  TOKEN_KIND,
} from "../masking/index.js";
