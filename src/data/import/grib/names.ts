/** Names of GRIB parameters, as NetCDF files of the same archives name them. */
import type { LevelKind } from "./levels.js";
import { EDITION_1, EDITION_2 } from "./parameters.js";

export interface Name {
  /** as in NetCDF: `t2m`, `u10` */
  name: string;
  /** ecCodes' short name: `2t`, `10u` */
  short: string;
  units: string;
}

const tableOf = (text: string): ReadonlyMap<string, Name> =>
  new Map(
    text
      .trim()
      .split(/[|\n]/)
      .map((row) => {
        const [key, name, short, ...units] = row.split(" ");
        return [key, { name, short, units: units.join(" ") }];
      }),
  );

const TABLE_128 = tableOf(EDITION_1);
const TABLE_2 = tableOf(EDITION_2);

const ECMWF = 98;
/** Names of upper-air quantities: at a height above the ground they are told apart by it. */
const UPPER_AIR = new Set(["t", "u", "v", "q", "r", "w", "z", "d", "vo", "ws", "pt", "gh", "o3"]);
const AT_HEIGHT: Readonly<Record<string, string>> = { "t 2": "167", "u 10": "165", "v 10": "166", "ws 10": "207" };

/** Statistics over an interval, by code table 4.10. */
const STATISTIC: Readonly<Record<number, string>> = { 0: "mean", 1: "acc", 2: "max", 3: "min" };

const alone = (name: string, units = ""): Name => ({ name, short: name, units });

function atHeight(known: Name, kind: LevelKind | null, height: number): Name {
  if (kind !== "heightAboveGround" || !UPPER_AIR.has(known.name)) return known;
  const own = TABLE_128.get(AT_HEIGHT[`${known.name} ${height}`] ?? "");
  return own ?? alone(`${known.name}_${height}m`, known.units);
}

/** @param table version of the parameter table. @param kind null if it is none that is read */
export function nameOfEdition1(
  centre: number,
  table: number,
  parameter: number,
  kind: LevelKind | null,
  height: number,
): Name {
  // Table 128 is ECMWF's; other centres number the same quantities otherwise.
  const known = centre === ECMWF && table === 128 ? TABLE_128.get(String(parameter)) : undefined;
  return known ? atHeight(known, kind, height) : alone(`parameter_${table}_${parameter}`);
}

/**
 * @param numbers discipline, category and number of the parameter
 * @param type of the first fixed surface, and its value. @param statistic over an interval; null for a point in time
 */
export function nameOfEdition2(
  centre: number,
  numbers: readonly [number, number, number],
  [type, value, kind]: readonly [type: number, value: number, kind: LevelKind | null],
  statistic: number | null,
): Name {
  const [discipline, category, number] = numbers;
  const unknown = alone(`parameter_${numbers.join("_")}`);
  // ECMWF's own numbers: of its table 128 by the discipline 192, and from 192 on; those of other centres are not known.
  const local = discipline >= 192 || category >= 192 || number >= 192;
  if (local && centre !== ECMWF) return unknown;
  if (discipline === 192) return (category === 128 ? TABLE_128.get(String(number)) : undefined) ?? unknown;
  const key = numbers.join(".");
  const places = [`@${type}:${value}`, `@${type}`, ""];
  const find = (end: string) => places.map((place) => TABLE_2.get(`${key}${place}${end}`)).find((row) => row);
  if (statistic === null) return atHeight(find("") ?? unknown, kind, value);
  const own = find(`~${statistic}`);
  if (own) return own;
  const { name, units } = atHeight(find("") ?? unknown, kind, value);
  // The unit of a sum over time is not that of the quantity.
  return alone(`${name}_${STATISTIC[statistic] ?? `statistic_${statistic}`}`, statistic === 1 ? "" : units);
}
