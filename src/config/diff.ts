/** Where two configurations differ. */

export interface ConfigDifference {
  /** such as `fields[0][1][1]` */
  path: string;
  /** undefined if the key is absent there */
  a: unknown;
  b: unknown;
}

/** The differences of two configurations, in the order of `a` and then of the keys that only `b` has. */
export function diffConfigs(
  a: Readonly<Record<string, unknown>>,
  b: Readonly<Record<string, unknown>>,
): ConfigDifference[] {
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return keys.flatMap((key) => diffValues(key, a[key], b[key]));
}

function diffValues(path: string, a: unknown, b: unknown): ConfigDifference[] {
  if (Object.is(a, b) || JSON.stringify(a) === JSON.stringify(b)) return [];
  if (Array.isArray(a) && Array.isArray(b) && a.length === b.length) {
    return a.flatMap((item, i) => diffValues(`${path}[${i}]`, item, b[i]));
  }
  return [{ path, a, b }];
}
