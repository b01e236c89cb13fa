/** The pieces the network is built of; the same functions on every engine. */
export { attention, attentionWeights } from "./attention.js";
export { checkpoint, recomputing } from "./checkpoint.js";
export { dropout, type Lane, WHOLE } from "./dropout.js";
export { ensembleMean, ensembleMoments, ensembleStd, memberSquares } from "./ensemble.js";
export { gatherRows } from "./gatherRows.js";
export { gelu } from "./gelu.js";
export { type AttentionInputs, type Columns, type HeadNorms, type Heads, only } from "./heads.js";
export { layerNorm } from "./layerNorm.js";
export { linear } from "./linear.js";
export { startAfter, takeAwaited } from "./order.js";
