/** Kinds of levels, by ecCodes' names of them (typeOfLevel). */

export type LevelKind =
  | "isobaric"
  | "hybrid"
  | "surface"
  | "meanSea"
  | "heightAboveGround"
  | "nominalTop"
  | "entireAtmosphere"
  | "depthBelowLand"
  | "depthBelowLandLayer"
  | "soilLayer"
  | "lake";

/** Kinds that a store has a level axis for: pressure in hPa, and model levels. */
export const UPPER: ReadonlySet<LevelKind> = new Set<LevelKind>(["isobaric", "hybrid"]);

/** A level, or its kind in words if it is none of those. */
export type Level = { kind: LevelKind; level: number } | string;

const KIND_1: Readonly<Record<number, LevelKind>> = {
  1: "surface",
  8: "nominalTop",
  102: "meanSea",
  105: "heightAboveGround",
  111: "depthBelowLand",
  112: "depthBelowLandLayer",
  200: "entireAtmosphere",
};

const KIND_2: Readonly<Record<number, LevelKind>> = {
  1: "surface",
  8: "nominalTop",
  10: "entireAtmosphere",
  101: "meanSea",
  103: "heightAboveGround",
  106: "depthBelowLand",
  151: "soilLayer",
  162: "lake",
};

/** What is most often met of the others, for the message. */
const OTHERS: Readonly<Record<number, string>> = {
  2: "cloud base",
  4: "0 degree isotherm",
  6: "maximum wind",
  7: "tropopause",
  20: "isothermal",
  102: "heightAboveSea",
  103: "heightAboveSea",
  104: "sigma",
  107: "theta or sigma",
  108: "layer of pressures",
  109: "potentialVorticity",
  113: "theta",
  117: "potentialVorticity",
};

const other = (type: number) =>
  `it stands at levels of type ${type}${OTHERS[type] ? ` (${OTHERS[type]})` : ""}, for which stores have no place`;

/** Kinds of which the value tells something; of the others there is one. */
const VALUED: ReadonlySet<LevelKind> = new Set<LevelKind>([
  "heightAboveGround",
  "depthBelowLand",
  "depthBelowLandLayer",
  "soilLayer",
]);

/** @param value octets 11 and 12 of section 1 */
export function level1(type: number, value: number): Level {
  if (type === 100) return { kind: "isobaric", level: value };
  if (type === 210) return { kind: "isobaric", level: value / 100 };
  if (type === 109) return { kind: "hybrid", level: value };
  return single(KIND_1[type], type, value);
}

/** @param value of the first fixed surface, in the manual's unit (Pa, m); null if it has none */
export function level2(type: number, value: number | null): Level {
  if (type === 100 || type === 105) {
    if (value === null) return "its level has no value";
    return type === 100 ? { kind: "isobaric", level: value / 100 } : { kind: "hybrid", level: value };
  }
  return single(KIND_2[type], type, value ?? 0);
}

const single = (kind: LevelKind | undefined, type: number, value: number): Level =>
  kind ? { kind, level: VALUED.has(kind) ? value : 0 } : other(type);
