/** Types of a run's configuration, inferred from the schema: `schema.ts` is the one place that knows a key. */
import type { OwnName } from "./kinds.js";
import type { CONFIG_KEYS, KeyEntry } from "./schema.js";

export type { Strategy } from "./kinds.js";

/** The value of each key. */
type Values = {
  -readonly [K in keyof typeof CONFIG_KEYS]: (typeof CONFIG_KEYS)[K] extends KeyEntry<infer _, infer T> ? T : never;
};

/** A run's complete configuration: every key of the schema is present; unknown keys of a file are kept. */
export interface RunConfig extends Values {
  [unknown: string]: unknown;
}

/**
 * What may be given for a value: names are checked with the others when the configuration is, by those that are
 * registered then, and so are the places of lists.
 */
type Given<T> = T extends string
  ? T | OwnName
  : T extends readonly (infer E)[]
    ? readonly (E extends string ? E | OwnName : unknown)[]
    : T extends object
      ? Readonly<Record<string, unknown>> & T
      : T;

/** Values by key, or by the path of a place in one: `{ lr_start: 1e-4, "fields[0][2]": [96, 105] }`. */
export type SetValues = { readonly [K in keyof Values]?: Given<Values[K]> } & {
  readonly [path: string]: unknown;
};

export type AttentionType = RunConfig["encoder_att_type"];

/** One entry of `fields` as it stands in the file (positional, as in the reference). */
export type FieldEntry = RunConfig["fields"][number];

export type Normalization = NonNullable<FieldEntry[6]>;

/** One entry of `fields`, by name. N = nt*ny*nx tokens a level, D = tt*ty*tx grid points a token. */
export interface Field {
  index: number;
  name: string;
  dynamic: boolean;
  /** embedding width d */
  width: number;
  coupled: string[];
  pretrained: { runId: string; epoch: number } | null;
  /** level 0 is the surface array */
  levels: number[];
  numTokens: [nt: number, ny: number, nx: number];
  tokenSize: [tt: number, ty: number, tx: number];
  rates: { total: number; mask: number; noise: number; coarse: number };
  normalization: Normalization;
  /** number of levels L */
  L: number;
  /** tokens a level */
  N: number;
  /** grid points a token */
  D: number;
}

export interface PredictedField {
  /** position in `fields_prediction` */
  index: number;
  field: Field;
  weight: number;
}
