/** Gridded variables of a file of named dimensions, by the CF conventions and the habits of well-known archives. */
import { AtmorepError } from "../../errors.js";
import { type Axis, axisOf, MOST_POINTS, readAxis, roleOf, textOf } from "./axes.js";
import { unpacker } from "./packing.js";
import { isCyclic, mergeVersions, planeReader, withoutCyclic } from "./planes.js";
import type { InputFile, InputVariable, RawDataset, RawVariable, ReadOptions } from "./types.js";
import { ValidSpan } from "./validSpan.js";
import { timesOf } from "./validTimes.js";

/** What is known of a file while its variables are looked at. */
interface Look {
  dataset: RawDataset;
  options: ReadOptions;
  axis(dim: string): Promise<Axis | null>;
  span: ValidSpan;
  /** coordinates that are used: not left out */
  used: Set<string>;
  notes: string[];
}

/** Finds the gridded variables of a dataset; all else that it holds is listed with the reason. */
export async function gridded(dataset: RawDataset, options: ReadOptions = {}): Promise<InputFile> {
  const axes = new Map<string, Promise<Axis | null>>();
  const notes: string[] = [];
  const look: Look = {
    dataset,
    span: new ValidSpan(dataset, notes),
    options,
    axis(dim) {
      const known = axes.get(dim) ?? readAxis(dataset, dim);
      axes.set(dim, known);
      return known;
    },
    used: new Set(),
    notes,
  };
  const file: InputFile = {
    path: dataset.path,
    format: dataset.format,
    variables: [],
    skipped: [...(dataset.leftOut ?? [])],
    notes: look.notes,
    digest: dataset.digest,
    pinned: dataset.pinned,
    close: () => dataset.close(),
  };
  const rest: { name: string; why: string }[] = [];
  for (const variable of dataset.variables.values()) {
    const found = await variableOf(look, variable);
    if (typeof found === "string") rest.push({ name: variable.name, why: found });
    else file.variables.push(found);
  }
  const isDimension = (name: string) => dataset.variables.get(name)?.dims?.[0] === name;
  file.skipped.push(...rest.filter(({ name }) => !look.used.has(name) && !isDimension(name)));
  return file;
}

async function variableOf(look: Look, raw: RawVariable): Promise<InputVariable | string> {
  const { dataset } = look;
  if (raw.unreadable) return raw.unreadable;
  if (raw.isText) return "its values are no numbers";
  if (raw.shape.length < 2)
    return `it has ${raw.shape.length === 1 ? "one dimension" : "no dimensions"}, no latitude and longitude`;
  if (!raw.dims) return "the file does not name its dimensions";
  const where = `${dataset.path}: ${raw.name}`;
  const byRole = new Map<Axis["role"], number>();
  const axes: (Axis | null)[] = [];
  const notes: string[] = [];
  for (const [d, dim] of raw.dims.entries()) {
    const axis = await look.axis(dim);
    axes.push(axis);
    const length = raw.shape[d];
    requireLength(axis, length, `${where}, dimension ${dim}`);
    if (axis?.role === "member" && length > 1)
      return `its dimension ${dim} (${length}) holds members of an ensemble: keep one of them`;
    if (axis?.why && length > 1) return axis.why;
    if (axis === null || axis.role === "member" || axis.why) {
      if (length !== 1) {
        const unknown = dataset.variables.has(dim)
          ? "is no time, level, latitude or longitude"
          : "has no coordinate of its name";
        return `its dimension ${dim} (${length}) ${unknown}`;
      }
      notes.push(`${where}: its dimension ${dim} of length 1 is left out${axis?.why ? ` (${axis.why})` : ""}`);
      continue;
    }
    if (axis.role !== "time" && byRole.has(axis.role)) return `it has two dimensions of the kind ${axis.role}`;
    byRole.set(axis.role, d);
  }
  const [lat, lon] = [byRole.get("lat"), byRole.get("lon")];
  if (lat === undefined || lon === undefined) return "it has no latitude and longitude of one dimension each";
  if (raw.shape[lat] * raw.shape[lon] > MOST_POINTS) {
    return `its grid has ${raw.shape[lat]} x ${raw.shape[lon]} points, more than the ${MOST_POINTS} that are read`;
  }
  const timeAxes = new Map<number, Axis>();
  for (const [d, axis] of axes.entries()) if (axis?.role === "time" || axis?.role === "lead") timeAxes.set(d, axis);
  const found = await timesOf(dataset, raw, timeAxes);
  if (typeof found === "string") return found;
  const time = look.span.of(found);
  for (const name of ["time", "valid_time", "reftime"]) look.used.add(name);
  const levels = await levelsOf(look, raw, byRole.get("level"), axes, notes);
  if (typeof levels === "string") return levels;

  const lons = (axes[lon] as Axis).values as Float64Array;
  const cyclic = isCyclic(lons);
  if (cyclic) notes.push(`${where}: the last longitude is the first one again and is left out`);
  const version = byRole.get("version");
  const versions = version === undefined ? 1 : raw.shape[version];
  if (versions > 1)
    notes.push(`${where}: ${versions} versions (expver) are put together; points that two of them have must be equal`);
  if (raw.zeroFill)
    notes.push(`${where}: 0, the fill_value of the Zarr array, is read as the value 0; xarray takes it for missing`);
  const plane = planeReader(raw, { lat, lon }, unpacker(raw, where), where, look.options);
  const level = byRole.get("level");
  look.notes.push(...notes);
  const [onlyTime] = [...timeAxes.keys()];
  return {
    name: raw.name,
    standardName: textOf(raw.attrs.standard_name) || undefined,
    timesTogether: () => (timeAxes.size === 1 && raw.chunkShape ? raw.chunkShape()[onlyTime] : 1),
    levelsTogether: () => (level !== undefined && raw.chunkShape ? raw.chunkShape()[level] : 1),
    path: dataset.path,
    units: textOf(raw.attrs.units),
    levels: levels?.map(([value]) => value) ?? null,
    times: time.times,
    lats: (axes[lat] as Axis).values as Float64Array,
    lons: cyclic ? lons.slice(0, -1) : lons,
    async readPlane(t, l) {
      const at = raw.shape.map(() => 0);
      time.place(t, at);
      if (level !== undefined && levels) at[level] = levels[l][1];
      const planes: Float64Array[] = [];
      for (let v = 0; v < versions; v++) {
        if (version !== undefined) at[version] = v;
        planes.push(await plane(at));
      }
      const values = versions > 1 ? mergeVersions(planes, where) : planes[0];
      return cyclic ? withoutCyclic(values, lons.length, where) : values;
    },
  };
}

/** Files that name their dimensions for each variable can contradict themselves. @throws AtmorepError (input) */
function requireLength(axis: Axis | null, length: number, where: string): void {
  if (axis === null || axis.values.length === length || axis.values.length === 0) return;
  throw new AtmorepError("input", "a dimension has another length than its coordinate", {
    where,
    found: length,
    expected: String(axis.values.length),
    fix: "Copy or make the file again",
  });
}

/** Levels with their indices on the axis; null at the surface; text: why the variable cannot be taken. */
async function levelsOf(
  look: Look,
  raw: RawVariable,
  place: number | undefined,
  axes: readonly (Axis | null)[],
  notes: string[],
): Promise<[level: number, index: number][] | null | string> {
  const where = `${look.dataset.path}: ${raw.name}`;
  const axis = place === undefined ? await scalarLevel(look, raw) : axes[place];
  if (!axis) return null;
  const all = Array.from(axis.values as Float64Array, (value, i): [number, number] => [value, i]);
  if (all.length === 1 && all[0][0] === 0) {
    notes.push(`${where}: its only level (${axis.name}) is 0, so it stands at the surface`);
    return null;
  }
  // Configurations name levels by whole numbers from 1 on; 0 stands for the surface.
  const usable = all.filter(([value]) => Number.isInteger(value) && value > 0);
  const others = all.filter((entry) => !usable.includes(entry)).map(([value]) => value);
  const why = `levels are whole numbers of model levels or hPa, from 1 on`;
  if (usable.length === 0) return `its level ${others.join(", ")}: ${why}`;
  if (others.length > 0)
    notes.push(`${where}: left out the level${others.length > 1 ? "s" : ""} ${others.join(", ")}: ${why}`);
  if (new Set(usable.map(([value]) => value)).size < usable.length) return `its axis ${axis.name} has a level twice`;
  return usable;
}

/** The level of a variable without such a dimension: a single number among its `coordinates`. */
async function scalarLevel(look: Look, raw: RawVariable): Promise<Axis | null> {
  const { dataset } = look;
  const named = (variable: RawVariable) => textOf(variable.attrs.coordinates).split(/\s+/);
  for (const candidate of dataset.variables.values()) {
    if (candidate.shape.some((n) => n !== 1) || candidate.isText || roleOf(candidate) !== "level") continue;
    // xarray writes names that no variable uses of its own among the attributes of the file: they hold for all.
    const someone = [...dataset.variables.values()].some((variable) => named(variable).includes(candidate.name));
    if (candidate.dims?.length !== 0 && !named(raw).includes(candidate.name)) continue;
    if (someone && !named(raw).includes(candidate.name)) continue;
    const axis = await axisOf(dataset, candidate);
    if (!axis || axis.why) continue;
    look.used.add(candidate.name);
    return axis;
  }
  return null;
}
