/** Whether `scores.json` has the shape that everything which reads it relies on: the file may be JSON of any shape. */

type Check = (value: unknown) => string | null;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const fails = (found: string | null, at: string): string | null => (found === null ? null : `${at}: ${found}`);

/** The first fault, with the place of it. */
function first(...found: (string | null)[]): string | null {
  return found.find((fault) => fault !== null) ?? null;
}

/** What is not finite stands as null. */
const number: Check = (value) => (typeof value === "number" || value === null ? null : "not a number");
const text: Check = (value) => (typeof value === "string" ? null : "not a text");
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined ? null : check(value);
const list =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) ? first(...value.map((one, i) => fails(check(one), String(i)))) : "not a list";
const record =
  (check: Check): Check =>
  (value) =>
    isObject(value) ? first(...Object.entries(value).map(([key, one]) => fails(check(one), key))) : "not an object";
const object =
  (checks: Record<string, Check>): Check =>
  (value) =>
    isObject(value)
      ? first(...Object.entries(checks).map(([key, check]) => fails(check(value[key]), key)))
      : "not an object";

/** A record that has `all`. */
const withAll =
  (check: Check): Check =>
  (value) =>
    isObject(value) && !("all" in value) ? "has no entry all" : record(check)(value);

const entry = object({
  value: number,
  unit: optional(text),
  low: optional(number),
  high: optional(number),
  baselines: optional(record(number)),
});

/** The baseline that is named best is one of those told. */
const rmse: Check = (value) => {
  const fault = first(object({ unit: text })(value), entry(value));
  if (fault !== null) return fault;
  const { minusBest, baselines } = value as { minusBest?: unknown; baselines?: Record<string, unknown> };
  if (minusBest === undefined) return null;
  const best = isObject(minusBest) ? minusBest.baseline : undefined;
  return typeof best === "string" && typeof baselines?.[best] === "number" ? null : "minusBest: no baseline told";
};

const spectrum: Check = (value) =>
  isObject(value) && "refused" in value
    ? fails(text(value.refused), "refused")
    : object({ model: list(number), target: list(number) })(value);

const leaf: Check = (value) => {
  const counts = object({ points: number, times: number, blockLength: number, blocks: number, rmse })(value);
  if (counts !== null) return counts;
  const named: Record<string, Check> = {
    rank_histogram: object({ value: list(number) }),
    zonal_spectrum: spectrum,
    window_spectrum: spectrum,
    kinds: record(leaf),
  };
  const others = Object.entries(value as Record<string, unknown>).filter(([, own]) => isObject(own));
  return first(...others.map(([key, own]) => fails((Object.hasOwn(named, key) ? named[key] : entry)(own), key)));
};

const scores = record(withAll(withAll(record(leaf))));

const bin = object({ observed: number, low: number, high: number });
const reliability = record(list(object({ probability: number, observed: number, low: number, high: number })));
const spread = list(object({ spread: number, error: number, low: number, high: number }));
const beforeAfter = object({ raw: number, calibrated: number, low: number, high: number, blocks: number });

const calibrated: Check = (value) =>
  isObject(value) && "refused" in value
    ? fails(text(value.refused), "refused")
    : object({
        crps: beforeAfter,
        spread_skill_ratio: beforeAfter,
        pit: list(bin),
        reliability,
        spread_error: spread,
      })(value);

const calibration = object({
  fitted: text,
  seen: number,
  kept: number,
  fields: record(
    object({
      parameters: list(record(() => null)),
      levels: withAll(
        object({ members: number, times: number, ranks: list(bin), reliability, spread_error: spread, calibrated }),
      ),
    }),
  ),
});

/**
 * @param parts of `scores.json`
 * @returns where it departs from what `evaluate` writes, and how; null if it does not
 */
export const scoresFault = (parts: { scores: unknown; about: unknown; calibration: unknown }): string | null =>
  first(
    scores(parts.scores),
    fails(optional(record(() => null))(parts.about), "_about"),
    fails(optional(calibration)(parts.calibration), "_calibration"),
  );
