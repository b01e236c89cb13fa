/** Times of GRIB messages. */
import { daysFromCivil } from "../../time.js";
import { damaged } from "./octets.js";

/** Seconds of the time units of code table 4 (edition 1; the same numbers in edition 2 up to 12). */
const UNIT_SECONDS: Readonly<Record<number, number>> = {
  0: 60,
  1: 3600,
  2: 86_400,
  10: 10_800,
  11: 21_600,
  12: 43_200,
};

/** Units that the editions number otherwise. */
const OF_EDITION: Readonly<Record<1 | 2, Readonly<Record<number, number>>>> = {
  1: { 13: 900, 14: 1800, 254: 1 },
  2: { 13: 1 },
};

/** Nanoseconds of a number of units; null if the unit has no fixed length (months, years) or is not known. */
export function duration(edition: 1 | 2, unit: number, count: number): bigint | null {
  if (count === 0) return 0n;
  const seconds = UNIT_SECONDS[unit] ?? OF_EDITION[edition][unit];
  return seconds === undefined ? null : BigInt(seconds * count) * 1_000_000_000n;
}

/** Nanoseconds since 1970. @throws AtmorepError (input) if there is no such time */
export function timeOf(
  [year, month, day, hour, minute, second]: readonly [number, number, number, number, number, number],
  where: string,
): bigint {
  const date = new Date(Date.UTC(2000, 0, 1));
  date.setUTCFullYear(year, month - 1, day);
  const right = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && year > 0;
  if (!right || hour > 23 || minute > 59 || second > 59) {
    throw damaged(where, `the time ${year}-${month}-${day} ${hour}:${minute}:${second}`);
  }
  return BigInt(daysFromCivil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second) * 1_000_000_000n;
}
