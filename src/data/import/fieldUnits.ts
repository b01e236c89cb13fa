/** The unit in which a store holds a field, and what takes other units to it. */
import { AtmorepError } from "../../errors.js";

export interface Conversion {
  /** unit of the store, as ERA5 writes it */
  unit: string;
  /** value of the store = value of the file * scale + offset */
  scale: number;
  offset: number;
}

/** True if the values stay as they are. */
export const isIdentity = (
  conversion: Conversion | null,
): conversion is null | (Conversion & { scale: 1; offset: 0 }) =>
  conversion === null || (conversion.scale === 1 && conversion.offset === 0);

/** scale, or scale and offset, by unit as `plain` writes it */
type Table = Readonly<Record<string, number | readonly [scale: number, offset: number]>>;

const G = 9.80665;
const KELVIN: Table = { K: 1, degC: [1, 273.15], degF: [5 / 9, 273.15 - 32 * (5 / 9)] };
const PASCAL: Table = { Pa: 1, hPa: 100, kPa: 1000 };
const SHARE: Table = { "1": 1, "%": 0.01 };

/** Field name, unit of the store, and the units that are converted. docs/data.md shows this table. */
const FIELDS: readonly (readonly [field: RegExp, unit: string, table: Table])[] = [
  [/^velocity_z$/, "Pa s**-1", { "Pa s-1": 1, "hPa s-1": 100 }],
  [/^velocity_|wind/, "m s**-1", { "m s-1": 1, "cm s-1": 0.01, "km h-1": 1 / 3.6, knot: 1852 / 3600 }],
  [/temperature|^t2m$|^(sst|skt|d2m|2d)$/, "K", KELVIN],
  [/pressure/, "Pa", PASCAL],
  [/^specific_humidity/, "kg kg**-1", { "kg kg-1": 1, "1": 1, "g kg-1": 0.001 }],
  [/precip/, "m", { m: 1, cm: 0.01, mm: 0.001, "kg m-2": 0.001 }],
  [/^geopotential$/, "m**2 s**-2", { "m2 s-2": 1, "J kg-1": 1, m: G, gpm: G, dam: G * 10, km: G * 1000 }],
  [/^(geopotential_height|zg|gh|hgt)$/, "gpm", { m: 1, gpm: 1, dam: 10, km: 1000 }],
  [/^(vorticity|divergence)/, "s**-1", { "s-1": 1 }],
  [/cloud_cover|^(tcc|lcc|mcc|hcc|siconc|ci|lsm)$/, "(0 - 1)", SHARE],
  [/^(r|rh|hur|relative_humidity)$/, "%", { "%": 1, "1": 100 }],
];

/** Other names of the units above. */
const NAMES: readonly (readonly [RegExp, string])[] = [
  [/^(kelvin|deg_?k|degrees?_?k(elvin)?)$/i, "K"],
  [/^(c|deg_?c|°c|celsius|degrees?[_ ]?c(elsius)?)$/i, "degC"],
  [/^(f|deg_?f|°f|fahrenheit|degrees?[_ ]?f(ahrenheit)?)$/i, "degF"],
  [/^(pascals?|pa)$/i, "Pa"],
  [/^(hectopascals?|hpa|mb|mbar|millibars?)$/i, "hPa"],
  [/^(kilopascals?|kpa)$/i, "kPa"],
  [/^(knots?|kts?|kn)$/i, "knot"],
  [/^(m of water equivalent|m of water|met(er|re)s?)$/i, "m"],
  [/^(mm of water equivalent|mm of water|millimet(er|re)s?)$/i, "mm"],
  [/^(geopotential met(er|re)s?|gpm)$/i, "gpm"],
  [/^(gpdam|dam|decamet(er|re)s?)$/i, "dam"],
  [/^(gpkm|km|kilomet(er|re)s?)$/i, "km"],
  [/^(%|percent)$/i, "%"],
  [/^(1|dimensionless|fraction|\(0 - 1\)|0 - 1|0-1)$/i, "1"],
];

/**
 * @param field name in the store
 * @param text unit of the file; empty if it has none
 * @param where names variable and file, for errors
 * @param howToSay how a person gives the unit, for errors
 * @returns null if the field or its unit is not known: its values stay as they are
 * @throws AtmorepError (input) for a unit that a well-known field cannot have
 */
export function conversionOf(
  field: string,
  text: string,
  where: string,
  howToSay = `give the unit: --unit ${field}=UNIT`,
): Conversion | null {
  const row = FIELDS.find(([pattern]) => pattern.test(field));
  if (!row || text === "") return null;
  const [, unit, table] = row;
  const entry = table[plain(text)];
  if (entry !== undefined) {
    const [scale, offset] = typeof entry === "number" ? [entry, 0] : entry;
    return { unit, scale, offset };
  }
  throw new AtmorepError("input", `${field} cannot be in this unit`, {
    where,
    found: `units "${text}"`,
    expected: `${unit}, or one of ${Object.keys(table).join(", ")}, which are converted`,
    fix: `If the attribute is wrong, ${howToSay}`,
  });
}

/** `m s**-1`, `m/s`, `m s^-1` and `m.s-1` as `m s-1`; other names as the tables write them. */
function plain(text: string): string {
  const named = nameOf(text.trim());
  if (named !== null) return named;
  const words = text
    .trim()
    .replace(/\*\*|\^/g, "")
    .replace(/[·*]|\.(?=[a-z])/gi, " ")
    .replace(/\/\s*([A-Za-z]+)(\d*)/g, (_, unit: string, power: string) => ` ${unit}-${power || 1}`)
    .replace(/\s+/g, " ")
    .replace(/^1 (?=\S)/, "")
    .trim();
  return nameOf(words) ?? words;
}

const nameOf = (text: string): string | null => NAMES.find(([pattern]) => pattern.test(text))?.[1] ?? null;
