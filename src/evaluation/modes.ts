/** The table of evaluation modes: a new one is a function that draws, and a row. */
import type { Fault } from "../config/faults.js";
import { nearestName } from "../config/nearest.js";
import type { Strategy } from "../config/types.js";
import { AtmorepError } from "../errors.js";
import { STRATEGIES } from "../masking/registry.js";
import { type DrawInput, type DrawPlan, validationPlan } from "./draws.js";
import { fixedLocationDraws } from "./fixedLocation.js";
import { globalDraws, listedDates, rangeDates, rangeFaults } from "./globalForecast.js";
import type { EvaluationOptions, OptionKey } from "./options.js";

export interface EvaluationMode {
  /** for people: which cubes, and what is hidden of them */
  doc: string;
  /** what is hidden; null: what the run's configuration says */
  strategy: Strategy | null;
  /** true if the options name the times, so that no split is drawn from */
  ownTimes(options: EvaluationOptions): boolean;
  /** the options that it reads, beside the keys of the configuration */
  options: readonly OptionKey[];
  /** faults of options that are well-formed one by one */
  check?(options: EvaluationOptions): Fault[];
  /** The cubes; every mode writes a store of samples, and one whose plan has a `tiling` grids of the whole store too. */
  draws(input: DrawInput): DrawPlan;
}

const validation = (strategy: Strategy, doc: string): EvaluationMode => ({
  doc,
  strategy,
  ownTimes: () => false,
  options: [],
  draws: validationPlan,
});

const MODES = {
  BERT: validation("BERT", "random tokens at the times and places of the test or of validation"),
  forecast: validation("forecast", "the last forecast_num_tokens time tokens"),
  temporal_interpolation: validation("temporal_interpolation", "the middle time token, or those of idx_time_mask"),
  fixed_location: {
    doc: "a few times of each month around one position, hidden as the run was trained",
    strategy: null,
    ownTimes: ({ years }) => years !== null,
    options: ["position", "years", "months", "num_samples_per_month"],
    draws: (input) => ({ draws: fixedLocationDraws(input) }),
  },
  global_forecast: {
    doc: "forecasts of the whole grid on given dates, from tiles whose overlaps are blended",
    strategy: "forecast",
    ownTimes: ({ dates }) => dates !== null,
    options: ["dates", "token_overlap"],
    draws: (input) => globalDraws(input, listedDates(input)),
  },
  global_forecast_range: {
    doc: "the same from date_start to date_end every step_hours",
    strategy: "forecast",
    ownTimes: () => true,
    options: ["date_start", "date_end", "step_hours", "token_overlap"],
    check: rangeFaults,
    draws: (input) => globalDraws(input, rangeDates(input)),
  },
} satisfies Readonly<Record<string, EvaluationMode>>;

export type ModeName = keyof typeof MODES;

export const EVALUATION_MODES: Readonly<Record<string, EvaluationMode>> = MODES;

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
