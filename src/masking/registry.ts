import type { Strategy } from "../config/types.js";
import { AtmorepError } from "../errors.js";
import { bert } from "./bert.js";
import type { MaskingStrategy } from "./choice.js";
import { forecast } from "./forecast.js";
import { temporalInterpolation } from "./temporalInterpolation.js";

/** Every masking strategy by its name in `BERT_strategy`, registered ones included. */
export const STRATEGIES: Record<Strategy, MaskingStrategy> = {
  BERT: bert,
  forecast,
  temporal_interpolation: temporalInterpolation,
};

const BUILT_IN: ReadonlySet<string> = new Set(Object.keys(STRATEGIES));

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
    fix: "Choose one of these; masking.register adds one of your own.",
  });
}

/** True for a strategy that every thread has; those of notebooks are known to the thread alone that registered them. */
export const isBuiltIn = (name: string): boolean => BUILT_IN.has(name);

/**
 * Adds a strategy for `BERT_strategy` and `BERT_strategy_mix` of a configuration. Registering a name of one's own again
 * replaces it, as running a notebook cell again does.
 *
 * @example
 * registerStrategy("first_time", {
 *   doc: "the first time token at every place",
 *   choose: (field, B) => sameInEverySample(tokensAtTimes(field, [0]), field.N, B),
 *   askedShare: (field) => 1 / field.numTokens[0],
 * });
 * @throws AtmorepError `usage` if the name is a built-in strategy's or is not made of letters, digits and `_`, or if the
 *   strategy lacks one of its parts
 */
export function registerStrategy(name: string, strategy: MaskingStrategy): void {
  const where = "masking.register";
  if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name) || BUILT_IN.has(name)) {
    throw new AtmorepError("usage", "not a free name for a strategy", {
      where,
      found: name,
      expected: `letters, digits and _, none of ${[...BUILT_IN].join(", ")}`,
    });
  }
  const { choose, askedShare, doc } = strategy;
  if (typeof choose !== "function" || typeof askedShare !== "function" || !doc) {
    throw new AtmorepError("usage", `the strategy ${name} is incomplete`, {
      where,
      found: Object.keys(strategy).join(", ") || "nothing",
      expected: "choose and askedShare (functions) and doc (one sentence)",
    });
  }
  STRATEGIES[name as Strategy] = strategy;
}
