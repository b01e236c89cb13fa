/** A check across keys. It runs only if each key it reads is well-formed by itself. */
import type { KnownNames } from "../check.js";
import type { Fault } from "../faults.js";
import { parseFields } from "../fields.js";
import type { Field, RunConfig } from "../types.js";

export interface Rule {
  reads: readonly string[];
  check: (config: RunConfig, names: KnownNames) => Fault[];
}

/** A rule that looks at each field by itself. `where` is the path of the field's entry, `fields[i]`. */
export function eachField(
  reads: readonly string[],
  check: (field: Field, where: string, config: RunConfig) => Fault[],
): Rule {
  return {
    reads: ["fields", ...reads],
    check: (config) => parseFields(config).flatMap((field) => check(field, `fields[${field.index}]`, config)),
  };
}

/** True if a strategy can hide tokens of the field: static fields and those of rate 0 are left alone. */
export const isHidden = (field: Field) => field.dynamic && field.rates.total > 0;
