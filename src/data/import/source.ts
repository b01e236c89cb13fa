/** Where a field's values come from, for those that write a store and those that read without one. */
import { AtmorepError } from "../../errors.js";
import { type Conversion, isIdentity } from "./fieldUnits.js";
import { arrange, type GridPlan } from "./grid.js";
import type { InputVariable } from "./types.js";

/** One level of a variable, and what brings its planes into a store's form. */
export interface PlaneSource {
  variable: InputVariable;
  /** index on the variable's own levels; 0 if it has none */
  level: number;
  grid: GridPlan;
  conversion: Conversion | null;
}

/** The plane of one of the variable's times as in the store: [lat, lon], in its unit, NaN where missing. */
export async function readPlane(
  { variable, level, grid, conversion }: PlaneSource,
  time: number,
): Promise<Float64Array> {
  const plane = arrange(await variable.readPlane(time, level), grid);
  if (isIdentity(conversion)) return plane;
  const { scale, offset } = conversion;
  return plane.map((value) => value * scale + offset);
}

/** Levels that a variable gives, with the index on its own axis. */
export function levelsOf(
  { surface, level, variable }: { surface: boolean; level: number | null; variable: InputVariable },
  /** what to do if `level` is not there */
  fix?: (levels: readonly number[], level: number) => string,
): [level: number, index: number][] {
  if (surface) return [[0, 0]];
  if (variable.levels === null) return [[level as number, 0]];
  const all = variable.levels.map((own, index): [number, number] => [own, index]);
  if (level === null) return all;
  const chosen = all.filter(([own]) => own === level);
  if (chosen.length > 0) return chosen;
  throw new AtmorepError("input", `there is no level ${level}`, {
    where: `${variable.path}: ${variable.name}`,
    found: `levels ${variable.levels.join(", ")}`,
    fix: fix?.(variable.levels, level),
  });
}
