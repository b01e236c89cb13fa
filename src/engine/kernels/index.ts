/** The pieces the network is built of; the same functions on every engine. */
export { attention, attentionWeights } from "./attention.js";
export { checkpoint } from "./checkpoint.js";
export { dropout } from "./dropout.js";
export { ensembleMean, ensembleMoments, ensembleStd, memberSquares } from "./ensemble.js";
export { type Explain, explained } from "./explain.js";
export { gatherRows } from "./gatherRows.js";
export { gelu } from "./gelu.js";
export { globalNorm } from "./globalNorm.js";
export { type AttentionInputs, type Columns, type HeadNorms, type Heads, only } from "./heads.js";
export { computedAgain, headGroups, type Part, rowsApart, samplesApart, uncut, wholeBatch } from "./lanes.js";
export { layerNorm } from "./layerNorm.js";
export { linear } from "./linear.js";
export { type Schedule, startAfter, withSchedule } from "./schedule.js";
