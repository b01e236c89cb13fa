/** Options of the evaluation modes (spec section 8), beside any key of the configuration: one table. */
import { checkValue } from "../config/check.js";
import { assertValid, type Fault } from "../config/faults.js";
import { integer, type Kind, list, nullable, place, text, tuple } from "../config/kinds.js";
import { because } from "../config/limits.js";
import { POINT, SAMPLES, TOKENS, YEAR } from "../config/pieces.js";
import { parseIsoTime } from "../config/times.js";
import { AtmorepError } from "../errors.js";

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

export interface EvaluationOption {
  key: keyof EvaluationOptions;
  kind: Kind;
  default: unknown;
  /** modes that read it */
  modes: readonly string[];
  doc: string;
}

const option = (key: keyof EvaluationOptions, modes: string[], kind: Kind, fallback: unknown, doc: string) =>
  ({ key, modes, kind, default: fallback, doc }) satisfies EvaluationOption;

const FIXED = ["fixed_location"];
const GLOBAL = ["global_forecast"];
const RANGE = ["global_forecast_range"];
const STEP_HOURS = because(8784, "no year has more hours");

export const EVALUATION_OPTIONS: readonly EvaluationOption[] = [
  option(
    "position",
    FIXED,
    POINT,
    [33.55, 18.25],
    "Centre of the window, [latitude, longitude] in geographic degrees; the nearest grid point is taken.",
  ),
  option(
    "years",
    FIXED,
    nullable(list(integer(1, YEAR), 1, { unique: true, most: 9999 })),
    null,
    "Years to draw times from; null: those of validation.",
  ),
  option(
    "months",
    FIXED,
    nullable(list(integer(1, 12), 1, { unique: true })),
    null,
    "Months to draw times from; null: all.",
  ),
  option("num_samples_per_month", FIXED, integer(1, SAMPLES), 2, "Most times of each month."),
  option(
    "dates",
    GLOBAL,
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
    "[[year, month, day, hour], ...]: the last hour of each cube; null: the last time of validation.",
  ),
  option(
    "token_overlap",
    [...GLOBAL, ...RANGE],
    tuple([place("lat", integer(0, TOKENS)), place("lon", integer(0, TOKENS))]),
    [0, 0],
    "Tokens (of the first field) that neighbouring tiles share in latitude and longitude.",
  ),
  option("date_start", RANGE, nullable(text()), null, "First date, the last hour of its cube, in ISO time (UTC)."),
  option("date_end", RANGE, nullable(text()), null, "Last date, in ISO time (UTC), included."),
  option("step_hours", RANGE, integer(1, STEP_HOURS), 12, "Hours from one date to the next."),
];

const KEYS = new Set<string>(EVALUATION_OPTIONS.map(({ key }) => key));

/** True for an override of an evaluation option, such as `position=[50,8]`; false: it is the configuration's. */
export const isEvaluationOverride = (override: string): boolean => KEYS.has(override.split("=")[0].trim());

/**
 * The options of an evaluation from their overrides.
 * @throws AtmorepError `usage` for a malformed or unfitting override, `config` naming every bad value
 */
export function evaluationOptions(overrides: readonly string[], mode: string): EvaluationOptions {
  const values: Record<string, unknown> = Object.fromEntries(
    EVALUATION_OPTIONS.map(({ key, default: fallback }) => [key, structuredClone(fallback)]),
  );
  for (const override of overrides) {
    const equals = override.indexOf("=");
    const key = override.slice(0, equals).trim();
    const known = EVALUATION_OPTIONS.find((entry) => entry.key === key)!;
    if (!known.modes.includes(mode)) {
      throw new AtmorepError("usage", `the mode ${mode} has no such option`, {
        where: "--set",
        found: override,
        expected: `an option of ${mode}; ${key} belongs to ${known.modes.join(" and ")}`,
        fix: `--mode ${known.modes[0]}`,
      });
    }
    values[key] = parse(override.slice(equals + 1));
  }
  const none = { losses: {}, strategies: [], transformations: [] };
  const faults = EVALUATION_OPTIONS.flatMap(({ key, kind }) => checkValue(kind, values[key], key, none));
  if (faults.length === 0) faults.push(...timeFaults(values as unknown as EvaluationOptions, mode));
  assertValid(faults);
  return values as unknown as EvaluationOptions;
}

function timeFaults({ date_start, date_end }: EvaluationOptions, mode: string): Fault[] {
  if (!RANGE.includes(mode)) return [];
  return Object.entries({ date_start, date_end }).flatMap(([path, found]): Fault[] =>
    found !== null && parseIsoTime(found) !== null
      ? []
      : [
          {
            path,
            what: found === null ? "a range needs its dates" : "not a time",
            found,
            expected: "an ISO time in UTC",
            fix: `--set ${path}=2018-01-01T12:00`,
          },
        ],
  );
}

function parse(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
