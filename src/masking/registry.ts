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
