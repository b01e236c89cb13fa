import type { Strategy } from "../config/types.js";
import { AtmorepError } from "../errors.js";
import { bert } from "./bert.js";
import type { MaskingStrategy } from "./choice.js";
import { forecast } from "./forecast.js";
import { temporalInterpolation } from "./temporalInterpolation.js";

/** Every masking strategy by its name in `BERT_strategy`. */
export const STRATEGIES: Record<Strategy, MaskingStrategy> = {
  BERT: bert,
  forecast,
  temporal_interpolation: temporalInterpolation,
};

/**
 * The strategy called `name`.
 * @throws AtmorepError `config` if there is none
 */
export function getStrategy(name: string): MaskingStrategy {
  if (Object.hasOwn(STRATEGIES, name)) return STRATEGIES[name as Strategy];
  throw new AtmorepError("config", "unknown masking strategy", {
    where: "BERT_strategy",
    found: name,
    expected: Object.keys(STRATEGIES).join(", "),
  });
}

/**
 * Adds a strategy for `BERT_strategy` and `BERT_strategy_mix` of a configuration.
 *
 * @example
 * registerStrategy("first_time", {
 *   doc: "the first time token at every place",
 *   choose: (field, B) => sameInEverySample(tokensAtTimes(field, [0]), field.N, B),
 *   askedShare: (field) => 1 / field.numTokens[0],
 * });
 * @throws AtmorepError `usage` if the name is taken or is not made of letters, digits and `_`
 */
export function registerStrategy(name: string, strategy: MaskingStrategy): void {
  if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name) || Object.hasOwn(STRATEGIES, name)) {
    throw new AtmorepError("usage", "not a free name for a strategy", {
      where: "registerStrategy",
      found: name,
      expected: "letters, digits and _, not the name of another strategy",
    });
  }
  STRATEGIES[name as Strategy] = strategy;
}
