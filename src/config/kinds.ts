/**
 * What a configuration value may be: a small description that checks, prints and documents the value, and whose type
 * parameter is the value's TypeScript type.
 */
import type { Limit } from "./limits.js";

/** Strategies that are there without a program's own. */
export type Strategy = "BERT" | "forecast" | "temporal_interpolation";

/** Losses that are there without a program's own. */
export type LossName =
  | "mse"
  | "mse_ensemble"
  | "weighted_mse"
  | "stats"
  | "stats_area"
  | "crps"
  | "kernel_crps"
  | "almost_fair_crps"
  | "ensemble_crps";

/** Beside known names: any other, where editors still offer the known ones. */
export type OwnName = string & Record<never, never>;

/** Tables of names that belong to other rooms, with the type that a name of each has. */
interface NameTypes {
  losses: LossName | OwnName;
  strategies: Strategy;
  transformations: string;
  metrics: string;
}

export type NameTable = keyof NameTypes;

type Shape =
  | { kind: "boolean" }
  | { kind: "constant"; value: boolean }
  /** `max` belongs to the meaning, `limit` to what a computer can do */
  | { kind: "integer"; min?: number; max?: number; limit?: Limit }
  /** `above` and `below` exclude the bound. Python writes a float (`30.0`) unless `whole` allows `2` for 2.0. */
  | ({ kind: "real" } & RealBounds)
  | { kind: "text"; pattern?: RegExp; meaning?: string }
  | { kind: "choice"; of: readonly (string | number)[] }
  /** a name from a table of another room, supplied when checking */
  | { kind: "name"; table: NameTable }
  /** an object of shares above 0, by names from a table */
  | { kind: "shares"; table: NameTable }
  | { kind: "list"; of: Kind; minLength: number; maxLength: number; unique: boolean }
  | { kind: "tuple"; items: readonly TupleItem[]; optional: number }
  | { kind: "nullable"; of: Kind }
  | { kind: "either"; of: readonly Kind[] }
  | { kind: "anything" };

/** The description of a value of type `T`. */
export type Kind<T = unknown> = Shape & {
  /** never there: what the value's type is inferred from */
  readonly type?: T;
};

export interface RealBounds {
  min?: number;
  max?: number;
  above?: number;
  below?: number;
  whole?: boolean;
  limit?: Limit;
}

export interface TupleItem {
  name: string;
  of: Kind;
}

export const boolean: Kind<boolean> = { kind: "boolean" };
export const anything: Kind<unknown> = { kind: "anything" };
export const constant = <T extends boolean>(value: T): Kind<boolean> => ({ kind: "constant", value });
export const real = (bounds: RealBounds = {}): Kind<number> => ({ kind: "real", ...bounds });
export const text = (pattern?: RegExp, meaning?: string): Kind<string> => ({ kind: "text", pattern, meaning });
export const choice = <T extends string | number>(...of: T[]): Kind<T> => ({ kind: "choice", of });
export const nullable = <T>(of: Kind<T>): Kind<T | null> => ({ kind: "nullable", of });
export const either = <A, B>(a: Kind<A>, b: Kind<B>): Kind<A | B> => ({ kind: "either", of: [a, b] });
export const nameOf = <N extends NameTable>(table: N): Kind<NameTypes[N]> => ({ kind: "name", table });
export const sharesOf = <N extends NameTable>(table: N): Kind<Partial<Record<NameTypes[N], number>>> => ({
  kind: "shares",
  table,
});

/** A whole number from `min` to `most`: a bound that belongs to its meaning, or a limit. */
export function integer(min?: number, most?: number | Limit): Kind<number> {
  return typeof most === "object" ? { kind: "integer", min, limit: most } : { kind: "integer", min, max: most };
}

/** Entries of a list unless its key says more. */
const MOST_ENTRIES = 1000;

export function list<T>(of: Kind<T>, minLength = 0, { unique = false, most = MOST_ENTRIES } = {}): Kind<T[]> {
  return { kind: "list", of, minLength, maxLength: most, unique };
}

type Place<T = unknown> = readonly [name: string, of: Kind<T>];
/** A place of a tuple and what it may hold. */
export const place = <T>(name: string, of: Kind<T>): Place<T> => [name, of];

type ValuesOf<P extends readonly Place[]> = { -readonly [I in keyof P]: P[I] extends Place<infer V> ? V : never };

/** A list of fixed places, each with a name for messages; `last` may be left out. */
export function tuple<P extends readonly Place[]>(places: readonly [...P]): Kind<ValuesOf<P>>;
export function tuple<P extends readonly Place[], T>(
  places: readonly [...P],
  last: Place<T>,
): Kind<[...ValuesOf<P>, T?]>;
export function tuple(places: readonly Place[], last?: Place): Kind {
  const items = (last ? [...places, last] : places).map(([name, of]) => ({ name, of }));
  return { kind: "tuple", items, optional: last ? 1 : 0 };
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

function describeBounds({ min, max, above, below, limit }: RealBounds): string {
  const most = limit === undefined ? "" : ` (at most ${plain(limit.most)})`;
  if (min !== undefined && min === max) return ` equal to ${min}`;
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  const parts = [
    min === undefined ? "" : `of at least ${min}`,
    above === undefined ? "" : `above ${above}`,
    max === undefined ? "" : `of at most ${max}`,
    below === undefined ? "" : `below ${below}`,
  ].filter(Boolean);
  return `${parts.length ? ` ${parts.join(" and ")}` : ""}${most}`;
}

const plain = (value: number) => (value < 1e12 ? value.toLocaleString("en-US") : value.toExponential());
