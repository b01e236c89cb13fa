/** Axes of a file of named dimensions: which of them are time, level, latitude, longitude, by the CF conventions and habit. */
import { AtmorepError } from "../../errors.js";
import { product } from "../zarr/array.js";
import { cfTimes, isTimeUnit, referenceUnits } from "./cfTimes.js";
import { unpacker } from "./packing.js";
import type { RawDataset, RawVariable } from "./types.js";

/** `lead`: time ahead of a reference time. `member`: of an ensemble. `version`: ERA5 and its preliminary months. */
export type Role = "time" | "lead" | "level" | "lat" | "lon" | "member" | "version";

const NAMES: Readonly<Record<Role, RegExp>> = {
  time: /^(time|valid_time|timestep|forecast_reference_time)$/i,
  lead: /^(step|forecast_period|lead_?time|prediction_timedelta)$/i,
  level: /^(level|levels|lev|plev|pressure_level|model_level|isobaricinhpa|hybrid|pressure|isobaric)$/i,
  lat: /^(lat|lats|latitude)$/i,
  lon: /^(lon|lons|longitude)$/i,
  member: /^(number|member|realization|ensemble(_member)?)$/i,
  version: /^expver$/i,
};

/** To hPa, the unit in which stores count pressure levels. */
const PRESSURE: readonly (readonly [RegExp, number])[] = [
  [/^(pa|pascals?)$/i, 0.01],
  [/^(hpa|hectopascals?|mb|mbar|millibars?)$/i, 1],
  [/^(kpa|kilopascals?)$/i, 10],
  [/^bars?$/i, 1000],
];
/** Units of numbers of model levels, and of levels without any. */
const COUNTED = /^(|1|~|-|levels?|model[_ ]levels?|dimensionless|layers?)$/i;

/** Points of a grid that is read, and numbers of a coordinate. More stand in damaged files, and would not fit into memory. */
export const MOST_POINTS = 1 << 24;

export interface Axis {
  role: Role;
  name: string;
  values: Float64Array | BigInt64Array;
  /** why variables on it cannot be taken */
  why?: string;
}

/** The axis of a dimension, or null if it is none that is known. @throws AtmorepError (input) for times that cannot be read */
export async function readAxis(dataset: RawDataset, dim: string): Promise<Axis | null> {
  const variable = dataset.variables.get(dim);
  if (variable?.shape.length !== 1) return null;
  return axisOf(dataset, variable);
}

/** A coordinate of any number of dimensions with its role. */
export async function axisOf(dataset: RawDataset, variable: RawVariable): Promise<Axis | null> {
  const role = roleOf(variable);
  const { name } = variable;
  if (role === null) return null;
  if (product(variable.shape) > MOST_POINTS) {
    throw new AtmorepError("input", "a coordinate is larger than any that is read", {
      where: `${dataset.path}: ${name}`,
      found: variable.shape,
      expected: `at most ${MOST_POINTS} numbers`,
      fix: "Copy or make the file again",
    });
  }
  if (variable.isText)
    return role === "version" || role === "member" ? { role, name, values: new Float64Array(0) } : null;
  if (role === "time") return { role, name, values: await readTimes(dataset, variable) };
  const where = `${dataset.path}: ${name}`;
  const values = unpacker(
    variable,
    where,
  )(
    await variable.read(
      variable.shape.map(() => 0),
      variable.shape,
    ),
  );
  const units = textOf(variable.attrs.units);
  if (role === "level") return { role, name, ...toLevels(values, units, name) };
  if (role !== "lat" && role !== "lon") return { role, name, values };
  if (/^rad/i.test(units)) return { role, name, values, why: `its ${name} is in ${units}, not degrees` };
  if (/^(grid_|projection_)/.test(textOf(variable.attrs.standard_name))) {
    return { role, name, values, why: `its ${name} is of a rotated or projected grid` };
  }
  if (!values.every(Number.isFinite)) {
    throw new AtmorepError("input", "a coordinate is missing", { where, fix: "Copy or make the file again" });
  }
  return { role, name, values };
}

export function roleOf({ name, attrs }: RawVariable): Role | null {
  const named = (Object.keys(NAMES) as Role[]).find((role) => NAMES[role].test(name));
  if (named) return named;
  const units = textOf(attrs.units);
  const standard = textOf(attrs.standard_name);
  if (/^degrees?_?n(orth)?$/i.test(units) || standard === "latitude") return "lat";
  if (/^degrees?_?e(ast)?$/i.test(units) || standard === "longitude") return "lon";
  if (isTimeUnit(units) || standard === "time") return "time";
  return textOf(attrs.axis) === "Z" ? "level" : null;
}

/** Level numbers as the store names them: of model levels, or pressure in hPa. */
function toLevels(values: Float64Array, units: string, name: string): { values: Float64Array; why?: string } {
  const factor = COUNTED.test(units) ? 1 : PRESSURE.find(([unit]) => unit.test(units))?.[1];
  if (factor === undefined) {
    return {
      values,
      why: `its levels (${name}) are in ${units}: only numbers of model levels and pressures are levels here`,
    };
  }
  // Seven digits: what float32 holds. 0.1 kPa as float32 is 1 hPa and no fraction of it.
  return { values: values.map((value) => Number((value * factor).toPrecision(7))) };
}

const read = new WeakMap<RawVariable, Promise<BigInt64Array>>();

/** Times of a variable of the file, read once: many variables can have them. @throws AtmorepError (input) if they cannot be read */
export function readTimes(dataset: RawDataset, variable: RawVariable): Promise<BigInt64Array> {
  const known = read.get(variable) ?? timesOf(dataset, variable);
  read.set(variable, known);
  return known;
}

async function timesOf(dataset: RawDataset, variable: RawVariable): Promise<BigInt64Array> {
  const packed = variable.attrs.scale_factor !== undefined || variable.attrs.add_offset !== undefined;
  if (variable.readTimes && !packed) return variable.readTimes();
  const where = `${dataset.path}: ${variable.name}`;
  const reference = variable.name === "timestep" ? await referenceUnits(dataset.variables.get("reftime")) : "";
  const units = textOf(variable.attrs.units) || reference;
  const start = variable.shape.map(() => 0);
  const values = unpacker(variable, where)(await variable.read(start, variable.shape));
  return cfTimes(values, units, textOf(variable.attrs.calendar), where);
}

export const textOf = (value: unknown): string => (typeof value === "string" ? value.trim() : "");
