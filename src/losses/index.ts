export { lossNames } from "./names.js";
export { weightedMean } from "./reduce.js";
export { getLoss, LOSSES, registerLoss } from "./table.js";
export { type FieldTarget, type LossTerm, needsArea, type TotalLoss, totalLoss } from "./total.js";
export type { LossEntry, LossInputs } from "./types.js";
