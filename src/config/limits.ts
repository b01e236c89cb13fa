/** Bounds beyond which a value is absurd, told with what it would need. */

export interface Limit {
  /** the largest value that is taken */
  most: number;
  /** what a larger one would need or mean, a clause for messages */
  needs: (value: number) => string;
}

const BYTE_UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
const TIME_UNITS: readonly [name: string, seconds: number][] = [
  ["years", 365.25 * 86_400],
  ["days", 86_400],
  ["hours", 3600],
  ["seconds", 1],
];

/** At least `each` bytes for each one; `what` they hold. */
export const memory = (most: number, each: number, what: string): Limit => ({
  most,
  needs: (value) => `it would need at least ${formatBytes(value * each)} of memory for ${what}`,
});

/** At least `each` seconds for each one; `what` takes them. */
export const time = (most: number, each: number, what: string): Limit => ({
  most,
  needs: (value) => `it would take at least ${formatSeconds(value * each)}: ${what}`,
});

/** A limit that neither memory nor time sets. */
export const because = (most: number, why: string): Limit => ({ most, needs: () => why });

/** Bytes in the largest unit that leaves a number of 1 or more. */
export function formatBytes(bytes: number): string {
  let unit = 0;
  let value = bytes;
  for (; value >= 1024 && unit < BYTE_UNITS.length - 1; unit++) value /= 1024;
  return `${significant(value)} ${BYTE_UNITS[unit]}`;
}

function formatSeconds(seconds: number): string {
  const [name, size] = TIME_UNITS.find(([, size]) => seconds >= size) ?? ["seconds", 1];
  return `${significant(seconds / size)} ${name}`;
}

const significant = (value: number) =>
  value < 1e6 ? value.toLocaleString("en-US", { maximumSignificantDigits: 3 }) : value.toExponential(1);
