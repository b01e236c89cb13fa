/** Times as nanoseconds since 1970 (int64, as NumPy's datetime64[ns]) and their calendar parts, proleptic Gregorian. */
import { AtmorepError } from "../errors.js";

/** nanoseconds of NumPy's datetime units */
const UNIT_NS: Readonly<Record<string, bigint>> = {
  W: 604_800_000_000_000n,
  D: 86_400_000_000_000n,
  h: 3_600_000_000_000n,
  m: 60_000_000_000n,
  s: 1_000_000_000n,
  ms: 1_000_000n,
  us: 1_000n,
  ns: 1n,
};

/** units of the CF convention's "hours since 1900-01-01" */
const CF_UNITS: ReadonlyMap<string, string> = new Map([
  ["day", "D"],
  ["hour", "h"],
  ["hr", "h"],
  ["minute", "m"],
  ["min", "m"],
  ["second", "s"],
  ["sec", "s"],
]);

/** NumPy's "not a time" */
const NOT_A_TIME = -0x8000000000000000n;
export const HOUR_NS = UNIT_NS.h;

/** How stored integers become times: `origin + value * step`, both in nanoseconds. */
export interface TimeCode {
  /** as it stands in the store, for people */
  label: string;
  step: bigint;
  origin: bigint;
}

/** NumPy counts units in 31 bits. */
const isCount = (count: number) => Number.isInteger(count) && count > 0 && count < 2 ** 31;

/** The code of a datetime64 of `count` units, or null if the unit is not one of fixed length, or so many are none. */
export function datetimeCode(unit: string, count = 1): TimeCode | null {
  const ns = Object.hasOwn(UNIT_NS, unit) ? UNIT_NS[unit] : undefined;
  return ns === undefined || !isCount(count)
    ? null
    : { label: count === 1 ? unit : `${count}${unit}`, step: ns * BigInt(count), origin: 0n };
}

/** The code of a CF unit text such as `hours since 1900-01-01 00:00`, or null if it is not one. */
export function cfTimeCode(text: string): TimeCode | null {
  const match = /^\s*([a-z]+?)s?\s+since\s+(.+?)\s*$/i.exec(text);
  const unit = CF_UNITS.get(match?.[1].toLowerCase() ?? "");
  if (!match || unit === undefined) return null;
  const origin = parseTime(match[2].replace(/\s*(utc|z)$/i, "").replace(" ", "T"));
  return origin === null ? null : { label: text, step: UNIT_NS[unit], origin };
}

/** Stored integers as nanoseconds since 1970. @throws AtmorepError (input) at "not a time" and beyond 64 bits */
export function decodeTimes(values: BigInt64Array, code: TimeCode, where: string): BigInt64Array {
  const out = new BigInt64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    if (values[i] === NOT_A_TIME) {
      throw new AtmorepError("input", "a time is missing (NaT)", { where: `${where}[${i}]` });
    }
    const time = code.origin + values[i] * code.step;
    if (BigInt.asIntN(64, time) !== time) {
      throw new AtmorepError("input", "a time lies outside of the years 1678 to 2261", {
        where: `${where}[${i}]`,
        found: `${values[i]} ${code.label}`,
        expected: "times that 64-bit nanoseconds since 1970 can hold",
      });
    }
    out[i] = time;
  }
  return out;
}

/**
 * Times as seconds since 1970 for arrays of `<M8[s]`: the original turns stored times into Python's datetime, which
 * NumPy does for units down to the microsecond and not for nanoseconds.
 *
 * @param where names the times in the message
 * @throws AtmorepError (input) at a time with a fraction of a second
 */
export function toSeconds(times: BigInt64Array, where: string): BigInt64Array {
  return times.map((ns, i) => {
    if (ns % UNIT_NS.s === 0n) return ns / UNIT_NS.s;
    throw new AtmorepError("input", "a time has a fraction of a second", {
      where: `${where}[${i}]`,
      found: `${ns} nanoseconds since 1970`,
      expected: "whole seconds",
      fix: "Round the times of the files first",
    });
  });
}

/** Nanoseconds since 1970 of an ISO time (date alone, or with hours, minutes, seconds; always UTC), or null if it is not one. */
export function parseTime(text: string): bigint | null {
  const match =
    /^(\d{4})-(\d{1,2})(?:-(\d{1,2}))?(?:[T ](\d{1,2})(?::(\d{1,2}))?(?::(\d{1,2})(?:\.(\d{1,9}))?)?Z?)?$/.exec(text);
  if (!match) return null;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0));
  const d = match[3] === undefined ? 1 : day;
  if (month < 1 || month > 12 || d < 1 || d > 31 || hour > 24 || minute > 59 || second > 59) return null;
  const days = daysFromCivil(year, month, d);
  if (civilFromDays(days).day !== d) return null;
  const seconds = days * 86_400 + hour * 3600 + minute * 60 + second;
  return BigInt(seconds) * UNIT_NS.s + BigInt((match[7] ?? "").padEnd(9, "0"));
}

/** `1996-01-05T06:00`, with seconds only where they are not 0. */
export function formatTime(ns: bigint): string {
  const iso = new Date(Number(floorDiv(ns, UNIT_NS.ms))).toISOString();
  return iso.endsWith(":00.000Z") ? iso.slice(0, 16) : iso.slice(0, 19);
}

/** Calendar parts of every time of a store. */
export interface Calendar {
  year: Int32Array;
  /** 1 to 12 */
  monthOfYear: Int32Array;
  /** counted from 0 */
  dayOfYear: Int32Array;
  hour: Int32Array;
  /** counted from January of the first time's year: the index into the normalisation arrays */
  month: Int32Array;
}

/** Calendar parts of ascending times. */
export function calendarOf(times: BigInt64Array): Calendar {
  const n = times.length;
  const make = () => new Int32Array(n);
  const out: Calendar = { year: make(), monthOfYear: make(), dayOfYear: make(), hour: make(), month: make() };
  let [day, year, month, firstOfYear] = [Number.NaN, 0, 0, 0];
  for (let i = 0; i < n; i++) {
    const hours = Number(floorDiv(times[i], HOUR_NS));
    const days = Math.floor(hours / 24);
    // the times of a day share its date
    if (days !== day) {
      day = days;
      ({ year, month } = civilFromDays(days));
      firstOfYear = daysFromCivil(year, 1, 1);
    }
    out.year[i] = year;
    out.monthOfYear[i] = month;
    out.dayOfYear[i] = days - firstOfYear;
    out.hour[i] = hours - days * 24;
    out.month[i] = (year - out.year[0]) * 12 + month - 1;
  }
  return out;
}

/** Days since 1970-01-01; the algorithm counts from March so that leap days come last. */
export function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** Years without any time between the first and the last one: more than archives leave out. */
const MOST_EMPTY_YEARS = 100;

/**
 * Refuses times with more than a century of empty years among them, since the normalisation has rows for every month: a
 * single damaged time would make it as large as a disk.
 * @param times ascending
 * @throws AtmorepError (input)
 */
export function assertSpan({ year }: Calendar, times: BigInt64Array, where: string): void {
  const last = times.length - 1;
  const empty = year[last] - year[0] + 1 - new Set(year).size;
  if (empty <= MOST_EMPTY_YEARS) return;
  throw new AtmorepError("input", "more than a century lies between the times without any of them", {
    where,
    found: `${times.length} times from ${formatTime(times[0])} to ${formatTime(times[last])}, ${empty} years without any`,
    expected: `at most ${MOST_EMPTY_YEARS} years without a time`,
    fix: "Is a time damaged? An import takes a part of them with --dates",
  });
}

/** The inverse of `daysFromCivil`. */
export function civilFromDays(days: number): { year: number; month: number; day: number } {
  const z = days + 719_468;
  const era = Math.floor(z / 146_097);
  const dayOfEra = z - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const mp = Math.floor((5 * dayOfYear + 2) / 153);
  const month = mp < 10 ? mp + 3 : mp - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * mp + 2) / 5) + 1,
  };
}

function floorDiv(a: bigint, b: bigint): bigint {
  const q = a / b;
  return a < 0n && q * b !== a ? q - 1n : q;
}
