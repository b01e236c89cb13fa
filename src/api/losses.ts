/** `atmorep.losses`: the losses that a configuration may name, and adding one of your own. */
export { lossNames as names, registerLoss as register } from "../losses/names.js";
export type { LossInputs, LossTools, OwnLoss } from "../losses/types.js";
