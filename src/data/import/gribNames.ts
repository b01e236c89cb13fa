/** Names of GRIB parameters, as NetCDF files of the same archives name them. */

export type Name = readonly [name: string, units: string];

/** ECMWF's table 128. */
export const ECMWF_PARAMETERS: Readonly<Record<number, Name>> = {
  129: ["z", "m**2 s**-2"],
  130: ["t", "K"],
  131: ["u", "m s**-1"],
  132: ["v", "m s**-1"],
  133: ["q", "kg kg**-1"],
  134: ["sp", "Pa"],
  135: ["w", "Pa s**-1"],
  138: ["vo", "s**-1"],
  151: ["msl", "Pa"],
  152: ["lnsp", "1"],
  155: ["d", "s**-1"],
  157: ["r", "%"],
  165: ["u10", "m s**-1"],
  166: ["v10", "m s**-1"],
  167: ["t2m", "K"],
  168: ["d2m", "K"],
  203: ["o3", "kg kg**-1"],
  228: ["tp", "m"],
  235: ["skt", "K"],
};

/** Discipline 0 of edition 2, by category and number. */
const EDITION_2: Readonly<Record<string, Name>> = {
  "0 0": ["t", "K"],
  "0 6": ["dpt", "K"],
  "1 0": ["q", "kg kg**-1"],
  "1 1": ["r", "%"],
  "1 8": ["tp", "kg m**-2"],
  "1 193": ["tp", "m"],
  "2 2": ["u", "m s**-1"],
  "2 3": ["v", "m s**-1"],
  "2 8": ["w", "Pa s**-1"],
  "2 12": ["vo", "s**-1"],
  "2 13": ["d", "s**-1"],
  "3 0": ["sp", "Pa"],
  "3 1": ["msl", "Pa"],
  "3 4": ["z", "m**2 s**-2"],
};

const FIXED_HEIGHT = 103;
const SEA_LEVEL = 101;
/** At fixed heights the same parameters have names of their own. */
const AT_HEIGHT: Readonly<Record<string, string>> = { "t 2": "t2m", "dpt 2": "d2m", "u 10": "u10", "v 10": "v10" };

/** @param kind type of the first fixed surface. @param height metres where the kind is a fixed height */
export function nameOfEdition2(
  discipline: number,
  category: number,
  parameter: number,
  kind: number,
  height: number,
): Name {
  const known = discipline === 0 ? EDITION_2[`${category} ${parameter}`] : undefined;
  if (!known) return [`parameter_${discipline}_${category}_${parameter}`, ""];
  const [name, units] = known;
  if (kind === FIXED_HEIGHT) return [AT_HEIGHT[`${name} ${height}`] ?? `${name}_${height}m`, units];
  return [kind === SEA_LEVEL && name === "sp" ? "msl" : name, units];
}
