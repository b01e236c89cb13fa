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
