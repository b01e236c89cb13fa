/** Where the fields of a configuration lie in a store. */
import { parseFields } from "../config/fields.js";
import type { Field, RunConfig } from "../config/types.js";
import { AtmorepError } from "../errors.js";
import type { Store } from "./storeTypes.js";

/** Where one level of a field lies. Level 0 is the surface array. */
export interface LevelSource {
  level: number;
  surface: boolean;
  /** index on the array's field axis */
  fieldIndex: number;
  /** index on the level axis; 0 for the surface */
  levelIndex: number;
  /** time indices whose values are interpolations */
  filled: ReadonlySet<number> | null;
}

export interface FieldSource extends Field {
  sources: LevelSource[];
}

/**
 * The fields of a configuration with their places in the store.
 * @throws AtmorepError (config) if the store lacks a field or a level, or a field's tokens do not fill the window
 */
export function resolveFields(config: Pick<RunConfig, "fields" | "n_size">, store: Store): FieldSource[] {
  const window = windowSize(config, store);
  return parseFields(config).map((field) => {
    const size = field.numTokens.map((n, axis) => n * field.tokenSize[axis]);
    if (size.some((n, axis) => n !== window[axis])) {
      throw new AtmorepError("config", "the tokens do not fill the window", {
        where: `fields[${field.index}]`,
        found: `${field.name}: ${size.join(" x ")} grid points (tokens ${field.numTokens} of ${field.tokenSize})`,
        expected: `${window.join(" x ")} (n_size ${JSON.stringify(config.n_size)} on a grid of ${store.res.join(" x ")} degrees)`,
        fix: "Change fields[i][3], fields[i][4] or n_size",
      });
    }
    return {
      ...field,
      sources: field.levels.map((level, i) =>
        levelSource(store, field.name, level, `fields[${field.index}]`, `fields[${field.index}][2][${i}]`),
      ),
    };
  });
}

/** Grid points of the window: [time steps, rows, columns]. */
export function windowSize(
  config: Pick<RunConfig, "n_size">,
  store: Pick<Store, "res">,
): [steps: number, rows: number, columns: number] {
  const [steps, lat, lon] = config.n_size;
  const [rows, columns] = [lat / store.res[0], lon / store.res[1]].map((n, axis) => {
    // Configurations hold products such as 0.25*27, grids hold rounded steps.
    if (Math.abs(n - Math.round(n)) < 0.01 && Math.round(n) > 0) return Math.round(n);
    throw new AtmorepError("config", "the window is not a whole number of grid points", {
      where: `n_size[${axis + 1}]`,
      found: `${config.n_size[axis + 1]} degrees`,
      expected: `a multiple of ${store.res[axis]} degrees, the store's grid step`,
    });
  });
  return [steps, rows, columns];
}

/** Where a level of a field lies. @throws AtmorepError (config) if the store lacks it */
export function levelSource(
  store: Store,
  name: string,
  level: number,
  whereField = "field",
  whereLevel = "level",
): LevelSource {
  const surface = level === 0;
  const names = surface ? store.fieldsSfc : store.fields;
  const fieldIndex = names.indexOf(name);
  if (fieldIndex < 0) {
    const elsewhere = (surface ? store.fields : store.fieldsSfc).includes(name);
    throw new AtmorepError("config", `the store has no such ${surface ? "surface" : "upper-air"} field`, {
      where: whereField,
      found: name,
      expected: names.length ? `one of ${names.join(", ")}` : `${surface ? "no surface" : "no upper-air"} field at all`,
      fix: elsewhere
        ? surface
          ? "It is an upper-air field: give its levels"
          : "It is a surface field: give the level 0"
        : '"atmorep data info" lists what the store holds',
    });
  }
  const levelIndex = surface ? 0 : store.levels.indexOf(level);
  if (levelIndex < 0) {
    throw new AtmorepError("config", `level ${level} is not in the store`, {
      where: whereLevel,
      found: level,
      expected: `one of ${store.levels.join(", ")}${store.fieldsSfc.includes(name) ? " (0 for the surface)" : ""}`,
      fix: '"atmorep data info" lists what the store holds',
    });
  }
  return { level, surface, fieldIndex, levelIndex, filled: filledSteps(store, name, level) };
}

function filledSteps(store: Store, name: string, level: number): ReadonlySet<number> | null {
  const all = store.filled.get(name);
  const own = level === 0 ? undefined : store.filled.get(`${name} ${level}`);
  if (!all || !own) return all ?? own ?? null;
  return new Set([...all, ...own]);
}
