/** The mapping of a source, from the names of its variables. */
import { fieldName, wellKnownField } from "../import/fieldNames.js";
import type { InputFile, InputVariable } from "../import/types.js";
import type { Mapping } from "./mapping.js";

export interface Derived {
  fields: Mapping["fields"];
  surface: Mapping["surface"];
  /** what is not taken, and why */
  leftOut: { name: string; why: string }[];
}

/**
 * The fields that well-known variables are: by their names, GRIB's short names or CF's standard names. Without any of
 * them every gridded variable is a field of its own name. All stand on the grid of the first.
 */
export function deriveMapping(files: readonly InputFile[]): Derived {
  const all = files.flatMap((file) => file.variables);
  const known = all.filter((variable) => wellKnownField(variable, variable.levels === null) !== null);
  const taken = known.length > 0 ? known : all;
  const nameOf = (variable: InputVariable) => {
    const surface = variable.levels === null;
    return wellKnownField(variable, surface) ?? fieldName(variable.name, surface);
  };
  const derived: Derived = { fields: {}, surface: {}, leftOut: [] };
  const left = new Map<string, string>();
  for (const variable of all) {
    const part = variable.levels === null ? derived.surface : derived.fields;
    const name = nameOf(variable);
    const other = part[name];
    if (!taken.includes(variable)) left.set(variable.name, "no well-known name: name it in a mapping file to take it");
    else if (!sameSize(variable, taken[0])) left.set(variable.name, `another grid than that of ${taken[0].name}`);
    else if (other !== undefined && other !== variable.name) left.set(variable.name, `${name} is taken from ${other}`);
    else part[name] = variable.name;
  }
  const skipped = files.flatMap((file) => file.skipped);
  for (const { name, why } of skipped) if (!left.has(name)) left.set(name, why);
  derived.leftOut = [...left].map(([name, why]) => ({ name, why }));
  return derived;
}

const sameSize = (a: InputVariable, b: InputVariable) =>
  a.lats.length === b.lats.length && a.lons.length === b.lons.length;
