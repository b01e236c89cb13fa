export { lossNames, registerLoss } from "./names.js";
export { weightedMean } from "./reduce.js";
export { getLoss, LOSSES } from "./table.js";
export { type FieldTarget, type LossTerm, needsArea, type TotalLoss, totalLoss } from "./total.js";
export type { LossEntry, LossInputs, LossTools, OwnLoss } from "./types.js";
