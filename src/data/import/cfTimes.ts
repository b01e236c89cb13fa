/** Times of the CF conventions: `hours since 1900-01-01` and the like, of calendars that can be told as Gregorian times. */
import { AtmorepError } from "../../errors.js";
import { daysFromCivil } from "../time.js";
import type { RawVariable } from "./types.js";

/** nanoseconds of a unit, without its plural */
const STEPS: readonly (readonly [RegExp, bigint])[] = [
  [/^(d|day)s?$/i, 86_400_000_000_000n],
  [/^(h|hr|hour)s?$/i, 3_600_000_000_000n],
  [/^(min|minute)s?$/i, 60_000_000_000n],
  [/^(s|sec|second)s?$/i, 1_000_000_000n],
  [/^(ms|msec|millisecond)s?$/i, 1_000_000n],
  [/^(us|microsecond)s?$/i, 1000n],
  [/^(ns|nanosecond)s?$/i, 1n],
];
const MILLISECOND = 1_000_000n;
const MIXED = new Set(["standard", "gregorian"]);

/** True for the units of a time axis. */
export const isTimeUnit = (units: string): boolean => /^\s*[a-z]+\s+since\s+\S/i.test(units);

/**
 * Times of numbers of a unit and calendar.
 * @param values numbers of the file, unpacked
 * @returns nanoseconds since 1970, proleptic Gregorian
 * @throws AtmorepError (input) for units and calendars that have no such times
 */
export function cfTimes(values: ArrayLike<number>, units: string, calendar: string, where: string): BigInt64Array {
  const kind = (calendar || "standard").toLowerCase();
  if (!MIXED.has(kind) && kind !== "proleptic_gregorian") throw otherCalendar(kind, where);
  const { origin, step } = codeOf(units, MIXED.has(kind), where);
  const exact = wholeMilliseconds(values, origin, step);
  if (exact) return exact;
  return BigInt64Array.from(values, (value, i) => {
    if (!Number.isFinite(value)) throw new AtmorepError("input", "a time is missing", { where: `${where}[${i}]` });
    const whole = Math.floor(value);
    const rest = BigInt(Math.round((value - whole) * Number(step)));
    // Numbers of floating point were never exact: times are whole milliseconds.
    const ns = BigInt(whole) * step + rest;
    const time = origin + roundTo(ns, MILLISECOND);
    if (BigInt.asIntN(64, time) !== time) {
      throw new AtmorepError("input", "a time lies outside of the years 1678 to 2261", {
        where: `${where}[${i}]`,
        found: `${value} ${units}`,
        expected: "times that 64-bit nanoseconds since 1970 can hold",
        fix: "Check the units of the time axis, or leave these times out of the file",
      });
    }
    return time;
  });
}

/** Of whole numbers of a unit, all within the years that can be held: a million and more of them are decoded for a store. */
function wholeMilliseconds(values: ArrayLike<number>, origin: bigint, step: bigint): BigInt64Array | null {
  if (origin % MILLISECOND !== 0n || step % MILLISECOND !== 0n) return null;
  const [first, unit] = [Number(origin / MILLISECOND), Number(step / MILLISECOND)];
  const out = new BigInt64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const time = first + values[i] * unit;
    if (!Number.isInteger(values[i]) || !(Math.abs(time) < MOST_MILLISECONDS)) return null;
    out[i] = BigInt(time) * MILLISECOND;
  }
  return out;
}

/** below what 64 bits of nanoseconds hold */
const MOST_MILLISECONDS = 9_200_000_000_000;

function roundTo(ns: bigint, unit: bigint): bigint {
  const rest = ((ns % unit) + unit) % unit;
  return rest * 2n >= unit ? ns - rest + unit : ns - rest;
}

function codeOf(units: string, mixed: boolean, where: string): { origin: bigint; step: bigint } {
  const match =
    /^\s*([a-z]+)\s+since\s+(\d{1,4})-(\d{1,2})(?:-(\d{1,2}))?(?:[T\s]+(\d{1,2})(?::(\d{1,2}))?(?::(\d{1,2})(?:\.(\d*))?)?)?\s*(utc|gmt|z|[+-]\d{1,2}(?::?\d{2})?)?\s*$/i.exec(
      units,
    );
  const step = match && STEPS.find(([name]) => name.test(match[1]))?.[1];
  const unreadable = () =>
    new AtmorepError("input", "the times cannot be read", {
      where,
      found: `units "${units}"`,
      expected: 'units such as "hours since 1900-01-01" (days, hours, minutes, seconds or parts of a second)',
      fix: "Months and years have no fixed length: write the times in days or hours, for instance with xarray",
    });
  if (!match || !step) throw unreadable();
  const [year, month, day, hour, minute, second] = match
    .slice(2, 8)
    .map((part, i) => Number(part ?? (i === 2 ? 1 : 0)));
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 24 || minute > 59 || second > 59) throw unreadable();
  // The mixed calendar has no year 0, and goes from 4 to 15 October 1582.
  if (mixed && (year === 0 || (year === 1582 && month === 10 && day > 4 && day < 15))) throw unreadable();
  const julian = mixed && (year < 1582 || (year === 1582 && (month < 10 || (month === 10 && day < 15))));
  const daysFrom = julian ? daysFromJulian : daysFromCivil;
  const days = daysFrom(year, month, day);
  const nextMonth = month === 12 ? daysFrom(year + 1, 1, 1) : daysFrom(year, month + 1, 1);
  // There is no 30 February.
  if (days >= nextMonth) throw unreadable();
  const fraction = BigInt((match[8] ?? "").slice(0, 9).padEnd(9, "0"));
  const zone = /^([+-])(\d{1,2}):?(\d{2})?$/.exec(match[9] ?? "");
  const shift = zone ? (zone[1] === "-" ? 1 : -1) * (Number(zone[2]) * 60 + Number(zone[3] ?? 0)) : 0;
  const seconds = BigInt(days * 86_400 + hour * 3600 + (minute + shift) * 60 + second);
  return { origin: seconds * 1_000_000_000n + fraction, step };
}

/** Days since 1970-01-01 (Gregorian) of a date of the Julian calendar, by its Julian day number. */
function daysFromJulian(year: number, month: number, day: number): number {
  const a = Math.floor((14 - month) / 12);
  const y = year + 4800 - a;
  const m = month + 12 * a - 3;
  const number = day + Math.floor((153 * m + 2) / 5) + 365 * y + Math.floor(y / 4) - 32083;
  return number - 2_440_588;
}

function otherCalendar(calendar: string, where: string): AtmorepError {
  const why: Record<string, string> = {
    noleap: ", which has no 29 February",
    "365_day": ", which has no 29 February",
    "360_day": ", whose months all have 30 days",
    all_leap: ", which has a 29 February every year",
    "366_day": ", which has a 29 February every year",
  };
  return new AtmorepError("input", "the times are of a calendar that has no Gregorian times", {
    where,
    found: `calendar ${calendar}${why[calendar] ?? ""}`,
    expected: "standard, gregorian or proleptic_gregorian",
    fix: 'Convert the file first, knowing which days that leaves out or repeats: xarray\'s convert_calendar("standard")',
  });
}

/** NCL's example files count hours from a text variable `reftime`. @returns units, empty if there is none */
export async function referenceUnits(reference: RawVariable | undefined): Promise<string> {
  if (!reference?.isText) return "";
  const codes = Array.from(await reference.read([0], reference.shape));
  const parts = String.fromCharCode(...codes.filter((code) => code > 0)).match(/\d+/g) ?? [];
  const [year, month, day, hour = "0", minute = "0"] = parts;
  return day === undefined ? "" : `hours since ${year}-${month}-${day}T${hour}:${minute}`;
}
