/** `atmorep.losses`: the losses that a configuration may name, what they are on numbers, and adding one of your own. */
import type { LossPoints, LossValue } from "../losses/evaluate.js";

export type { LossPoints, LossValue } from "../losses/evaluate.js";
export { lossNames as names, registerLoss as register } from "../losses/names.js";
export type { LossInputs, LossTools, OwnLoss } from "../losses/types.js";

/**
 * Value and gradient of a loss on plain numbers, on the WASM engine.
 * @throws AtmorepError (config) for an unknown loss or too few members; (usage) for arrays of different lengths
 * @example (await losses.evaluate("crps", { target: [0], members: [[-1], [1]] })).value;
 */
export async function evaluate(name: string, points: LossPoints): Promise<LossValue> {
  const [{ openEngine }, { evaluateLoss }] = await Promise.all([
    import("../engine/index.js"),
    import("../losses/evaluate.js"),
  ]);
  await openEngine("wasm");
  return evaluateLoss(name, points);
}
