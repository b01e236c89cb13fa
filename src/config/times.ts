/** ISO times of a configuration, in UTC. */

const ISO = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2})(?::(\d{2})(?::(\d{2})(?:\.0{1,9})?)?)?Z?)?$/;

/**
 * Seconds since 1970-01-01T00:00 UTC of `YYYY-MM-DD`, `YYYY-MM-DDTHH`, `...:MM` or `...:MM:SS` (a date alone
 * is its first hour; `Z` may follow), or null if the text is no such time.
 */
export function parseIsoTime(text: string): number | null {
  const match = ISO.exec(text);
  if (!match) return null;
  const [year, month, day, hour, minute, second] = match.slice(1).map((digits) => Number(digits ?? 0));
  if (hour > 23 || minute > 59 || second > 59) return null;
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  // Date.UTC rolls 30 February over to March
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null;
  return date.getTime() / 1000;
}

const BARE = /^(\d{4})-(\d{1,2})(?:-(\d{1,2}))?$/;

/**
 * What a text means as the end of a period, both ends included: a bare date stands for its last whole hour
 * (`2019-03-10` for `2019-03-10T23:00`), so that every step of that day on a whole hour is in and none of the next,
 * whether steps come hourly, 6-hourly or daily. A bare month, which the data commands read, ends with its last day. A
 * text with a time of day, and what is no date, stays as it is.
 */
export function endTime(text: string): string {
  const match = BARE.exec(text);
  if (!match) return text;
  const [year, month] = [Number(match[1]), Number(match[2])];
  // day 0 of the next month is the last of this one
  return `${match[3] ? text : `${text}-${new Date(Date.UTC(year, month, 0)).getUTCDate()}`}T23:00`;
}

/** A bare date as its first hour, `2019-03-10T00:00`; any other text as it is. */
export const firstHour = (text: string): string => (BARE.test(text) ? `${text}T00:00` : text);

/** The keys of a configuration that hold periods `[[start, end], ...]`. */
const PERIOD_KEYS = ["dates_train", "dates_val", "dates_test"] as const;

/**
 * The same values with every bare date of `dates_*` written as a full time: a start as its first hour, an end as
 * `end` says. Runs write such times, so that their files mean the same to every version. What is malformed stays, for
 * the rules to tell.
 *
 * @param end `endTime`; or `firstHour`, which a bare end means in the files of older runs
 */
export function withFullTimes<T extends Readonly<Record<string, unknown>>>(
  values: T,
  end: (text: string) => string,
): T {
  const full = (pair: unknown) => (isPeriod(pair) ? [firstHour(pair[0]), end(pair[1])] : pair);
  const changed = PERIOD_KEYS.flatMap((key) => {
    const periods = values[key];
    return Array.isArray(periods) ? [[key, periods.map(full)]] : [];
  });
  return { ...values, ...Object.fromEntries(changed) };
}

const isPeriod = (value: unknown): value is [string, string] =>
  Array.isArray(value) &&
  value.length === 2 &&
  value.every((text) => typeof text === "string" && parseIsoTime(text) !== null);
