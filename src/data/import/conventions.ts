/** Gridded variables of a file of named dimensions, by the CF conventions and the habits of well-known archives. */
import { AtmorepError } from "../../errors.js";
import { cfTimeCode, parseTime } from "../time.js";
import type { InputFile, InputVariable, RawDataset, RawVariable } from "./types.js";

type Role = "time" | "level" | "lat" | "lon";

const NAMES: Readonly<Record<Role, RegExp>> = {
  time: /^(time|valid_time|timestep)$/i,
  level: /^(level|levels|lev|plev|pressure_level|model_level|isobaricinhpa|hybrid|pressure|isobaric)$/i,
  lat: /^(lat|lats|latitude)$/i,
  lon: /^(lon|lons|longitude)$/i,
};
/** Calendars that agree with the proleptic Gregorian one after 1582. */
const CALENDARS = new Set(["standard", "gregorian", "proleptic_gregorian"]);

interface Axis {
  role: Role;
  values: Float64Array | BigInt64Array;
}

/** Finds the gridded variables of a dataset; what is none is listed with the reason. */
export async function gridded(dataset: RawDataset): Promise<InputFile> {
  const axes = new Map<string, Promise<Axis | null>>();
  const axisOf = (dim: string) => {
    const known = axes.get(dim) ?? readAxis(dataset, dim);
    axes.set(dim, known);
    return known;
  };
  const file: InputFile = {
    path: dataset.path,
    format: dataset.format,
    variables: [],
    skipped: [],
    close: () => dataset.close(),
  };
  for (const variable of dataset.variables.values()) {
    if (variable.shape.length < 2 || variable.isText) continue;
    const found = await variableOf(dataset, variable, axisOf);
    if (typeof found === "string") file.skipped.push({ name: variable.name, why: found });
    else file.variables.push(found);
  }
  return file;
}

async function variableOf(
  dataset: RawDataset,
  raw: RawVariable,
  axisOf: (dim: string) => Promise<Axis | null>,
): Promise<InputVariable | string> {
  if (!raw.dims) return "the file does not name its dimensions";
  const place: Partial<Record<Role, number>> = {};
  const axes: Partial<Record<Role, Axis>> = {};
  for (const [i, dim] of raw.dims.entries()) {
    const axis = await axisOf(dim);
    if (axis === null) {
      if (raw.shape[i] !== 1) return `its dimension ${dim} (${raw.shape[i]}) is no time, level, latitude or longitude`;
      continue;
    }
    if (axes[axis.role]) return `it has two dimensions of the kind ${axis.role}`;
    axes[axis.role] = axis;
    place[axis.role] = i;
  }
  if (!axes.lat || !axes.lon) return "it has no latitude and longitude of one dimension each";
  const order = (["time", "level", "lat", "lon"] as const).flatMap((role) => place[role] ?? []);
  if (order.some((p, i) => i > 0 && p < order[i - 1])) {
    return `its dimensions are ${raw.dims.join(", ")}, not in the order time, level, latitude, longitude`;
  }
  const times = (axes.time ?? (await scalarTime(dataset)))?.values;
  if (!(times instanceof BigInt64Array)) return "it has no time";
  const { lat, lon, time, level } = place as Record<Role, number>;
  const count = raw.shape.map((n, i) => (i === lat || i === lon ? n : 1));
  const unpack = unpacker(raw);
  return {
    name: raw.name,
    path: dataset.path,
    units: textOf(raw.attrs.units),
    levels: axes.level ? Array.from(axes.level.values as Float64Array) : null,
    times,
    lats: axes.lat.values as Float64Array,
    lons: axes.lon.values as Float64Array,
    async readPlane(t, l) {
      const start = raw.shape.map((_, i) => (i === time ? t : i === level ? l : 0));
      return unpack(await raw.read(start, count));
    },
  };
}

async function readAxis(dataset: RawDataset, dim: string): Promise<Axis | null> {
  const variable = dataset.variables.get(dim);
  if (variable?.shape.length !== 1 || variable.isText) return null;
  const role = roleOf(variable);
  if (role === null) return null;
  if (role === "time") return { role, values: await readTimes(dataset, variable) };
  const values = Float64Array.from(await variable.read([0], variable.shape));
  return { role, values: role === "level" ? toLevels(values, textOf(variable.attrs.units)) : values };
}

function roleOf({ name, attrs }: RawVariable): Role | null {
  const named = (Object.keys(NAMES) as Role[]).find((role) => NAMES[role].test(name));
  if (named) return named;
  const units = textOf(attrs.units);
  const standard = textOf(attrs.standard_name);
  if (/^degrees?_?n(orth)?$/i.test(units) || standard === "latitude") return "lat";
  if (/^degrees?_?e(ast)?$/i.test(units) || standard === "longitude") return "lon";
  if (cfTimeCode(units) || standard === "time") return "time";
  return textOf(attrs.axis) === "Z" ? "level" : null;
}

/** Level numbers as the store names them: model levels, or pressure in hPa. */
function toLevels(values: Float64Array, units: string): Float64Array {
  return values.map((value) => Math.round(/^pa(scals?)?$/i.test(units) ? value / 100 : value));
}

/** The time of a file of one time whose variables have no such dimension. */
async function scalarTime(dataset: RawDataset): Promise<Axis | null> {
  for (const variable of dataset.variables.values()) {
    const single = variable.shape.every((n) => n === 1) && !variable.isText;
    if (single && (variable.name === "time" || variable.name === "valid_time")) {
      return { role: "time", values: await readTimes(dataset, variable) };
    }
  }
  return null;
}

async function readTimes(dataset: RawDataset, variable: RawVariable): Promise<BigInt64Array> {
  if (variable.readTimes) return variable.readTimes();
  const where = `${dataset.path}: ${variable.name}`;
  const units = textOf(variable.attrs.units) || (await referenceTime(dataset, variable));
  const calendar = textOf(variable.attrs.calendar) || "standard";
  const code = cfTimeCode(units);
  if (!code || !CALENDARS.has(calendar.toLowerCase())) {
    throw new AtmorepError("input", "the times cannot be read", {
      where,
      found: code ? `calendar ${calendar}` : `units "${units}"`,
      expected: code
        ? `one of ${[...CALENDARS].join(", ")}`
        : 'units such as "hours since 1900-01-01" (days, hours, minutes or seconds)',
    });
  }
  const values = Array.from(await variable.read([0], variable.shape));
  return BigInt64Array.from(values, (value, i) => {
    if (!Number.isFinite(value)) throw new AtmorepError("input", "a time is missing", { where: `${where}[${i}]` });
    const whole = Math.floor(value);
    // Fractions of days or hours are rounded to milliseconds: they were never exact.
    const rest = Math.round(((value - whole) * Number(code.step)) / 1e6);
    return code.origin + BigInt(whole) * code.step + BigInt(rest) * 1_000_000n;
  });
}

/** NCL's example files count hours from a text variable `reftime`. */
async function referenceTime(dataset: RawDataset, variable: RawVariable): Promise<string> {
  const reference = dataset.variables.get("reftime");
  if (variable.name !== "timestep" || !reference?.isText) return "";
  const codes = Array.from(await reference.read([0], reference.shape));
  const parts = String.fromCharCode(...codes.filter((code) => code > 0)).match(/\d+/g) ?? [];
  const [year, month, day, hour = "0", minute = "0"] = parts;
  const iso = `${year}-${month}-${day}T${hour}:${minute}`;
  return parseTime(iso) === null ? "" : `hours since ${iso}`;
}

/** Applies the attributes of packed data: missing values first, then `scale_factor` and `add_offset`. */
function unpacker({ attrs, defaultFill }: RawVariable): (raw: ArrayLike<number>) => Float64Array {
  const numbers = (name: string) => [attrs[name] ?? []].flat().filter((v): v is number => typeof v === "number");
  const missing = new Set([...numbers("_FillValue"), ...numbers("missing_value")]);
  if (numbers("_FillValue").length === 0 && defaultFill !== null) missing.add(defaultFill);
  const range = numbers("valid_range");
  const low = range[0] ?? numbers("valid_min")[0] ?? -Infinity;
  const high = range[1] ?? numbers("valid_max")[0] ?? Infinity;
  const scale = numbers("scale_factor")[0] ?? 1;
  const offset = numbers("add_offset")[0] ?? 0;
  return (raw) => {
    const out = new Float64Array(raw.length);
    for (let i = 0; i < raw.length; i++) {
      const value = raw[i];
      out[i] = missing.has(value) || value < low || value > high ? Number.NaN : value * scale + offset;
    }
    return out;
  };
}

const textOf = (value: unknown): string => (typeof value === "string" ? value.trim() : "");
