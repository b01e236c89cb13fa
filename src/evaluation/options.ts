/** Options of the evaluation modes (docs/method.md, "Evaluation"), beside any key of the configuration: one table. */
import { integer, type Kind, list, nullable, place, text, tuple } from "../config/kinds.js";
import { because } from "../config/limits.js";
import { POINT, SAMPLES, TOKENS, YEAR } from "../config/pieces.js";

export interface EvaluationOptions {
  position: [lat: number, lon: number];
  years: number[] | null;
  months: number[] | null;
  num_samples_per_month: number;
  dates: [year: number, month: number, day: number, hour: number][] | null;
  token_overlap: [lat: number, lon: number];
  date_start: string | null;
  date_end: string | null;
  step_hours: number;
}

export type OptionKey = keyof EvaluationOptions;

export interface EvaluationOption {
  kind: Kind;
  default: unknown;
  doc: string;
}

const option = (kind: Kind, fallback: unknown, doc: string): EvaluationOption => ({ kind, default: fallback, doc });

const STEP_HOURS = because(8784, "no year has more hours");

/** Every option; `modes.ts` says which modes read it. */
export const EVALUATION_OPTIONS: Readonly<Record<OptionKey, EvaluationOption>> = {
  position: option(
    POINT,
    [33.55, 18.25],
    "Centre of the window, [latitude, longitude] in geographic degrees; the nearest grid point is taken.",
  ),
  years: option(
    nullable(list(integer(1, YEAR), 1, { unique: true, most: 9999 })),
    null,
    "Years to draw times from; null: those of the split.",
  ),
  months: option(nullable(list(integer(1, 12), 1, { unique: true })), null, "Months to draw times from; null: all."),
  num_samples_per_month: option(integer(1, SAMPLES), 2, "Most times of each month."),
  dates: option(
    nullable(
      list(
        tuple([
          place("year", integer(1, YEAR)),
          place("month", integer(1, 12)),
          place("day", integer(1, 31)),
          place("hour", integer(0, 23)),
        ]),
        1,
        { unique: true, most: 100_000 },
      ),
    ),
    null,
    "[[year, month, day, hour], ...]: the last hour of each cube; null: the last time of the split.",
  ),
  token_overlap: option(
    tuple([place("lat", integer(0, TOKENS)), place("lon", integer(0, TOKENS))]),
    [0, 0],
    "Tokens (of the first field) that neighbouring tiles share in latitude and longitude.",
  ),
  date_start: option(nullable(text()), null, "First date, the last hour of its cube, in ISO time (UTC)."),
  date_end: option(nullable(text()), null, "Last date, in ISO time (UTC), included."),
  step_hours: option(integer(1, STEP_HOURS), 12, "Hours from one date to the next."),
};

export const OPTION_KEYS = Object.keys(EVALUATION_OPTIONS) as OptionKey[];

/** True for an override of an evaluation option, such as `position=[50,8]`; false: it is the configuration's. */
export const isEvaluationOverride = (override: string): boolean =>
  Object.hasOwn(EVALUATION_OPTIONS, override.split("=")[0].trim());
