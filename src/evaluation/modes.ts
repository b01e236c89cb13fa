/** The table of evaluation modes. */
import { nearestName } from "../config/nearest.js";
import type { Strategy } from "../config/types.js";
import { AtmorepError } from "../errors.js";
import { STRATEGIES } from "../masking/registry.js";
import { type DrawInput, type DrawPlan, fixedLocationDraws, globalDraws, validationDraws } from "./draws.js";

export interface EvaluationMode {
  doc: string;
  /** what is hidden; null: what the run's configuration says */
  strategy: Strategy | null;
  draws(input: DrawInput): DrawPlan;
}

const validation = (strategy: Strategy, doc: string): EvaluationMode => ({
  doc,
  strategy,
  draws: (input) => ({ draws: validationDraws(input) }),
});

export const EVALUATION_MODES: Readonly<Record<string, EvaluationMode>> = {
  BERT: validation("BERT", "random tokens at the times and places of validation"),
  forecast: validation("forecast", "the last forecast_num_tokens time tokens"),
  temporal_interpolation: validation("temporal_interpolation", "the middle time token, or those of idx_time_mask"),
  fixed_location: {
    doc: "a few times of each month around one position, hidden as the run was trained",
    strategy: null,
    draws: (input) => ({ draws: fixedLocationDraws(input) }),
  },
  global_forecast: {
    doc: "forecasts of the whole grid on given dates, from tiles whose overlaps are blended",
    strategy: "forecast",
    draws: (input) => globalDraws("global_forecast", input),
  },
  global_forecast_range: {
    doc: "the same from date_start to date_end every step_hours",
    strategy: "forecast",
    draws: (input) => globalDraws("global_forecast_range", input),
  },
};

/**
 * A mode by its name; a registered strategy is one, too.
 * @throws AtmorepError `usage` for an unknown mode
 */
export function evaluationMode(name: string): EvaluationMode {
  if (Object.hasOwn(EVALUATION_MODES, name)) return EVALUATION_MODES[name];
  if (Object.hasOwn(STRATEGIES, name)) return validation(name as Strategy, STRATEGIES[name as Strategy].doc);
  const known = [...new Set([...Object.keys(EVALUATION_MODES), ...Object.keys(STRATEGIES)])];
  const nearest = nearestName(name, known);
  throw new AtmorepError("usage", "unknown mode", {
    where: "--mode",
    found: name,
    expected: known.join(", "),
    fix: nearest ? `Did you mean ${nearest}?` : "Choose one of these",
  });
}
