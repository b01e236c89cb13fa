import type { Field } from "../config/types.js";
import { AtmorepError } from "../errors.js";
import { type MaskingStrategy, type StrategyConfig, sameInEverySample, tokensAtTimes } from "./choice.js";

/** The time tokens to hide: the last `forecast_num_tokens`. */
function hiddenTimes(field: Field, { forecast_num_tokens: k }: StrategyConfig): number[] {
  const nt = field.numTokens[0];
  if (!Number.isInteger(k) || k < 1 || k > nt) {
    throw new AtmorepError("config", `field ${field.name} has ${nt} time tokens`, {
      where: "forecast_num_tokens",
      found: k,
      expected: `1 to ${nt}`,
    });
  }
  return Array.from({ length: k }, (_, i) => nt - k + i);
}

/** Hides the end of the window, so that the network has to forecast it. */
export const forecast: MaskingStrategy = {
  doc: "the last `forecast_num_tokens` time tokens are set to 0 at every place",
  forecasts: true,
  choose(field, B, config) {
    return sameInEverySample(tokensAtTimes(field, hiddenTimes(field, config)), field.N, B);
  },
  askedShare(field, config) {
    return hiddenTimes(field, config).length / field.numTokens[0];
  },
};
