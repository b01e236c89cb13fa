/** Reading and checking the root attributes and axes of a store. */
import { AtmorepError } from "../errors.js";

export interface StoreAttributes {
  /** upper-air fields, in the order of the field axis of `data`; empty if the store has no `data` */
  fields: string[];
  /** surface fields; empty if the store has no `data_sfc` */
  fieldsSfc: string[];
  levels: number[];
  /** grid step in degrees */
  res: [lat: number, lon: number];
  isGlobal: boolean;
  /** time indices whose values are interpolations, by `field level` or `field` (surface, or all levels) */
  filled: Map<string, Set<number>>;
  /** first and last time behind the normalisation; null if all times are */
  normalizationPeriod: [start: string, end: string] | null;
  /** all root attributes as they stand in the store */
  attrs: Record<string, unknown>;
}

/** @throws AtmorepError (input) naming the attribute */
export function readAttributes(
  attrs: Record<string, unknown>,
  has: { upper: boolean; surface: boolean },
  location: string,
): StoreAttributes {
  const fail = (name: string, expected: string) =>
    new AtmorepError(
      "input",
      attrs[name] === undefined ? "the root attribute is missing" : "the root attribute is not valid",
      {
        where: `${location}: attribute ${name}`,
        found: attrs[name],
        expected,
      },
    );
  const names = (name: string, needed: boolean): string[] => {
    const value = attrs[name];
    if (!needed && (value === undefined || value === null)) return [];
    if (!Array.isArray(value) || !value.every((item) => typeof item === "string") || (needed && value.length === 0)) {
      throw fail(name, "a list of field names");
    }
    if (new Set(value).size !== value.length) throw fail(name, "each field once");
    return needed ? value : [];
  };
  const numbers = (name: string, expected: string): number[] => {
    const value = attrs[name];
    if (!Array.isArray(value) || !value.every((item) => typeof item === "number" && Number.isFinite(item))) {
      throw fail(name, expected);
    }
    return value;
  };
  const fields = names("fields", has.upper);
  const fieldsSfc = names("fields_sfc", has.surface);
  const levels = has.upper ? numbers("levels", "a list of level numbers") : [];
  if (new Set(levels).size !== levels.length || levels.includes(0)) {
    throw fail("levels", "each level once, none of them 0 (0 stands for the surface)");
  }
  const res = numbers("res", "[degrees latitude, degrees longitude]");
  if (res.length !== 2 || !res.every((step) => step > 0)) throw fail("res", "[degrees latitude, degrees longitude]");
  const isGlobal = attrs.is_global;
  if (isGlobal !== 0 && isGlobal !== 1 && typeof isGlobal !== "boolean") throw fail("is_global", "1 or 0");
  return {
    fields,
    fieldsSfc,
    levels,
    res: [res[0], res[1]],
    isGlobal: Boolean(isGlobal),
    filled: readFilled(attrs.filled, [...fields, ...fieldsSfc], () =>
      fail("filled", "an object from a field name, or field name and level, to a list of time indices"),
    ),
    normalizationPeriod: readPeriod(attrs.normalization_period, () => fail("normalization_period", "[start, end]")),
    attrs,
  };
}

function readFilled(value: unknown, known: string[], fail: () => AtmorepError): Map<string, Set<number>> {
  const filled = new Map<string, Set<number>>();
  if (value === undefined || value === null) return filled;
  if (typeof value !== "object" || Array.isArray(value)) throw fail();
  for (const [name, steps] of Object.entries(value)) {
    if (!Array.isArray(steps) || !steps.every((step) => Number.isInteger(step) && step >= 0)) throw fail();
    if (!known.includes(name.split(" ")[0])) throw fail();
    filled.set(name, new Set(steps));
  }
  return filled;
}

function readPeriod(value: unknown, fail: () => AtmorepError): [string, string] | null {
  if (value === undefined || value === null) return null;
  if (!Array.isArray(value) || value.length !== 2 || !value.every((item) => typeof item === "string")) throw fail();
  return [value[0], value[1]];
}

/**
 * The years behind a normalisation by calendar month, from the attributes of the group `normalization`; null if each
 * month has its own.
 * @throws AtmorepError (input) naming the attribute
 */
export function readNormalizationYears({ by, years }: Record<string, unknown>, location: string): number[] | null {
  const fail = (name: string, found: unknown, expected: string) =>
    new AtmorepError("input", "the attribute is not valid", {
      where: `${location}: normalization, attribute ${name}`,
      found,
      expected,
      fix: '"atmorep data normalize" writes the group anew',
    });
  if (by === undefined || by === "month") return null;
  if (by !== "calendar-month") throw fail("by", by, "month or calendar-month");
  if (Array.isArray(years) && years.length > 0 && years.every(Number.isInteger)) return years;
  throw fail("years", years, "a list of years");
}

/** Checks that an axis ascends in steps of `step`. @throws AtmorepError (input) naming the first place where it does not */
export function checkAxis(axis: Float64Array, step: number, name: string, location: string): void {
  for (let i = 0; i < axis.length; i++) {
    const where = `${location}: ${name}[${i}]`;
    if (!Number.isFinite(axis[i])) throw new AtmorepError("input", "not a number", { where, found: axis[i] });
    if (i === 0) continue;
    if (axis[i] <= axis[i - 1]) {
      throw new AtmorepError("input", "the axis does not ascend", {
        where,
        found: `${axis[i]} after ${axis[i - 1]}`,
        expected: name === "lats" ? "degrees from the North pole, ascending" : "degrees East, ascending",
      });
    }
    // float32 axes carry rounding of their own
    if (Math.abs(axis[i] - axis[i - 1] - step) > 0.01 * step) {
      throw new AtmorepError("input", "the axis contradicts the attribute res", {
        where,
        found: `a step of ${axis[i] - axis[i - 1]}`,
        expected: `${step} degrees throughout`,
      });
    }
  }
}
