/** Rules on what a strategy hides. */
import type { RunConfig } from "../types.js";
import { eachField, isHidden, type Rule } from "./rule.js";

/** The strategy of validation and those of training. */
const used = (config: RunConfig): string[] => [config.BERT_strategy, ...Object.keys(config.BERT_strategy_mix ?? {})];

const forecastLeavesSource = eachField(
  ["BERT_strategy", "BERT_strategy_mix", "forecast_num_tokens"],
  (field, where, config) => {
    const [nt] = field.numTokens;
    const forecasts = used(config).includes("forecast");
    if (!forecasts || !isHidden(field) || config.forecast_num_tokens < nt) return [];
    return [
      {
        code: "all-hidden",
        path: "forecast_num_tokens",
        what: `the forecast hides all ${nt} time tokens of ${field.name} (${where}[3][0])`,
        found: config.forecast_num_tokens,
        expected: `below ${nt}`,
        fix: nt > 1 ? `Set it to ${nt - 1} or less` : `Give ${field.name} more tokens in time`,
      },
    ];
  },
);

const timeMaskFits = eachField(["BERT_strategy", "BERT_strategy_mix", "idx_time_mask"], (field, where, config) => {
  if (!used(config).includes("temporal_interpolation") || !isHidden(field)) return [];
  const [nt] = field.numTokens;
  const hidden = config.idx_time_mask ?? [Math.floor(nt / 2)];
  const outside = hidden.findIndex((index) => index >= nt);
  if (outside >= 0) {
    return [
      {
        code: "no-such-token",
        path: `idx_time_mask[${outside}]`,
        what: `${field.name} has no such time token (${where}[3][0] = ${nt})`,
        found: hidden[outside],
        expected: `0 to ${nt - 1}`,
        fix: "Count the time tokens from 0",
      },
    ];
  }
  if (hidden.length < nt) return [];
  return [
    {
      code: "all-hidden",
      path: config.idx_time_mask ? "idx_time_mask" : `${where}[3][0]`,
      what: `the interpolation hides all ${nt} time tokens of ${field.name}`,
      found: hidden,
      expected: "at least one time token left to see",
      fix: nt > 1 ? "Hide fewer time tokens" : `Give ${field.name} more tokens in time`,
    },
  ];
});

export const STRATEGY_RULES: readonly Rule[] = [forecastLeavesSource, timeMaskFits];
