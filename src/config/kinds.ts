/** What a configuration value may be: a small description that checks, prints and documents the value. */

export type NameTable = "losses" | "strategies" | "transformations" | "metrics";

export type Kind =
  | { kind: "boolean" }
  | { kind: "constant"; value: boolean }
  | { kind: "integer"; min?: number; max?: number }
  /** `above` and `below` exclude the bound. Python writes a float (`30.0`) unless `whole` allows `2` for 2.0. */
  | { kind: "real"; min?: number; max?: number; above?: number; below?: number; whole?: boolean }
  | { kind: "text"; pattern?: RegExp; meaning?: string }
  | { kind: "choice"; of: readonly (string | number)[] }
  /** a name from a table of another room, supplied when checking */
  | { kind: "name"; table: NameTable }
  /** an object of shares above 0, by names from a table */
  | { kind: "shares"; table: NameTable }
  | { kind: "list"; of: Kind; minLength?: number; unique?: boolean }
  | { kind: "tuple"; items: readonly TupleItem[]; optional: number }
  | { kind: "nullable"; of: Kind }
  | { kind: "either"; of: readonly Kind[] }
  | { kind: "anything" };

export interface TupleItem {
  name: string;
  of: Kind;
}

export const boolean: Kind = { kind: "boolean" };
export const anything: Kind = { kind: "anything" };
export const integer = (min?: number, max?: number): Kind => ({ kind: "integer", min, max });
export const real = (bounds: Omit<Extract<Kind, { kind: "real" }>, "kind"> = {}): Kind => ({ kind: "real", ...bounds });
export const text = (pattern?: RegExp, meaning?: string): Kind => ({ kind: "text", pattern, meaning });
export const choice = (...of: (string | number)[]): Kind => ({ kind: "choice", of });
export const sharesOf = (table: NameTable): Kind => ({ kind: "shares", table });
export const nameOf = (table: NameTable): Kind => ({ kind: "name", table });
export const nullable = (of: Kind): Kind => ({ kind: "nullable", of });
export const either = (...of: Kind[]): Kind => ({ kind: "either", of });

export function list(of: Kind, minLength = 0, unique = false): Kind {
  return { kind: "list", of, minLength, unique };
}

/** A list of fixed places; the last `optional` of them may be left out. */
export function tuple(items: Record<string, Kind>, optional = 0): Kind {
  return { kind: "tuple", items: Object.entries(items).map(([name, of]) => ({ name, of })), optional };
}

const TABLE_WORDS: Readonly<Record<NameTable, string>> = {
  losses: "a loss",
  strategies: "a strategy",
  transformations: "a token info transformation",
  metrics: "a metric",
};

/** The kind in words, for messages and for the reference page. */
export function describeKind(kind: Kind): string {
  switch (kind.kind) {
    case "boolean":
      return "true or false";
    case "constant":
      return String(kind.value);
    case "integer":
      return `an integer${describeBounds(kind)}`;
    case "real":
      return `a number${describeBounds(kind)}`;
    case "text":
      return kind.meaning ?? "a string";
    case "choice":
      return kind.of.map((value) => JSON.stringify(value)).join(" or ");
    case "name":
      return `the name of ${TABLE_WORDS[kind.table]}`;
    case "shares":
      return `an object of shares above 0, each by the name of ${TABLE_WORDS[kind.table]}`;
    case "list":
      return `a list of ${kind.unique ? "different values, each " : ""}${describeKind(kind.of)}`;
    case "tuple":
      return `[${kind.items.map((item, i) => (i < kind.items.length - kind.optional ? item.name : `(${item.name})`)).join(", ")}]`;
    case "nullable":
      return `${describeKind(kind.of)}, or null`;
    case "either":
      return kind.of.map(describeKind).join(" or ");
    case "anything":
      return "any value";
  }
}

function describeBounds(bounds: { min?: number; max?: number; above?: number; below?: number }): string {
  const { min, max, above, below } = bounds;
  if (min !== undefined && min === max) return ` equal to ${min}`;
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  const parts = [
    min === undefined ? "" : `of at least ${min}`,
    above === undefined ? "" : `above ${above}`,
    max === undefined ? "" : `of at most ${max}`,
    below === undefined ? "" : `below ${below}`,
  ].filter(Boolean);
  return parts.length ? ` ${parts.join(" and ")}` : "";
}
