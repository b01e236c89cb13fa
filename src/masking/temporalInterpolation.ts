import type { Field } from "../config/types.js";
import { AtmorepError } from "../errors.js";
import { type MaskingStrategy, type StrategyConfig, sameInEverySample, tokensAtTimes } from "./choice.js";

/** The time tokens to hide: `idx_time_mask` in its own order, or the middle one. */
function hiddenTimes(field: Field, { idx_time_mask: times }: StrategyConfig): number[] {
  const nt = field.numTokens[0];
  if (times === null || times === undefined) return [Math.floor(nt / 2)];
  const good = times.length > 0 && new Set(times).size === times.length;
  if (!good || times.some((t) => !Number.isInteger(t) || t < 0 || t >= nt)) {
    throw new AtmorepError("config", `field ${field.name} has ${nt} time tokens`, {
      where: "idx_time_mask",
      found: times,
      expected: `different whole numbers from 0 to ${nt - 1}`,
    });
  }
  return times;
}

/** Hides times inside the window, so that the network has to fill the gap. */
export const temporalInterpolation: MaskingStrategy = {
  doc: "the middle time token, or those of `idx_time_mask`, are set to 0 at every place",
  choose(field, B, config) {
    return sameInEverySample(tokensAtTimes(field, hiddenTimes(field, config)), field.N, B);
  },
  askedShare(field, config) {
    return hiddenTimes(field, config).length / field.numTokens[0];
  },
};
