/** What will be written, checked before anything is: channels and where their planes come from, times, grid. */
import { AtmorepError } from "../../errors.js";
import { formatTime } from "../time.js";
import { mostOf } from "../zarr/array.js";
import { type Conversion, conversionOf, isIdentity } from "./fieldUnits.js";
import { type Box, describeGrid, type GridPlan, planGrid, sameGrid } from "./grid.js";
import { type Combine, requireEqual } from "./overlap.js";
import type { FieldPiece } from "./request.js";
import { levelsOf, type PlaneSource, readPlane } from "./source.js";
import type { InputVariable } from "./types.js";

/** One field on one level. */
export interface Channel {
  name: string;
  /** 0 at the surface */
  level: number;
  /** Values at an index into the plan's times, arranged as in the store: [lat, lon], NaN where missing. */
  read(time: number): Promise<Float64Array>;
}

export interface ImportPlan {
  fields: string[];
  levels: number[];
  fieldsSfc: string[];
  /** by field and level, then the surface fields: the order of the store's arrays */
  channels: Channel[];
  times: BigInt64Array;
  grid: GridPlan;
  /** by field, where it is known: the store's own of well-known fields, else the text of the files */
  units: Record<string, string>;
  /** levels that the files decode together, where that is known; 1 otherwise */
  levelsTogether: number;
  /** what a person should know: units that were converted, times given twice, levels left out */
  notes: string[];
}

export interface PlanOptions {
  /** levels to keep, in this order; null for those of the first field */
  levels: number[] | null;
  box: Box | null;
  /** first and last time to take, both inclusive; null for all */
  dates: [bigint, bigint] | null;
  /** what is taken where a field has a time twice; null: the values must be equal */
  combine?: Combine;
  /** unit of a field in the files, instead of what they say */
  units?: Readonly<Record<string, string>>;
}

/** Where the plane of a channel at one time lies. */
interface Place extends PlaneSource {
  time: number;
  /** other places of the same field, level and time, which must have equal values */
  again: Place[];
}

/** @throws AtmorepError (input or usage) if the pieces do not fit together */
export function planImport(pieces: readonly FieldPiece[], options: PlanOptions): ImportPlan {
  const grids = new Map<InputVariable, GridPlan>();
  for (const { variable } of pieces) {
    const where = `${variable.path}: ${variable.name}`;
    if (!grids.has(variable)) grids.set(variable, planGrid(variable.lats, variable.lons, options.box, where));
  }
  const grid = grids.get(pieces[0].variable) as GridPlan;
  for (const [variable, own] of grids) {
    if (!sameGrid(grid, own)) throw unlike("grid", pieces[0].variable, variable, describeGrid(own), describeGrid(grid));
  }

  const notes: string[] = [];
  const { units, conversions } = unitsOf(pieces, options.units ?? {}, notes);
  const combine = options.combine ?? null;
  const places = new Map<string, Map<bigint, Place>>();
  const ownLevels = new Map<string, number[]>();
  for (const piece of pieces) {
    for (const [level, index] of levelsOf(piece)) {
      const key = `${piece.name} ${level}`;
      const known = places.get(key) ?? new Map<bigint, Place>();
      places.set(key, known);
      const own = grids.get(piece.variable) as GridPlan;
      const conversion = conversions.get(piece) ?? null;
      const twice = addPlaces(known, { piece, level: index, grid: own, conversion, dates: options.dates, combine });
      if (twice > 0) notes.push(twiceNote(`${piece.name}${level ? ` level ${level}` : ""}`, twice, piece, combine));
      if (!piece.surface) ownLevels.set(piece.name, [...new Set([...(ownLevels.get(piece.name) ?? []), level])]);
    }
  }
  const fields = [...ownLevels.keys()];
  const levels = fields.length > 0 ? (options.levels ?? (ownLevels.get(fields[0]) as number[])) : [];
  const fieldsSfc = [...new Set(pieces.filter((piece) => piece.surface).map((piece) => piece.name))];
  const wanted = [
    ...fields.flatMap((name) => levels.map((level): [string, number] => [name, level])),
    ...fieldsSfc.map((name): [string, number] => [name, 0]),
  ];
  for (const [name, level] of wanted) {
    if (places.has(`${name} ${level}`)) continue;
    throw new AtmorepError("input", `${name} is not on level ${level}`, {
      where: options.levels ? "--levels" : name,
      found: `levels ${(ownLevels.get(name) ?? []).join(", ")}`,
      expected: "every upper-air field on every level of the store",
      fix: "Choose levels that all fields have with --levels",
    });
  }
  if (options.levels === null) {
    for (const [name, own] of ownLevels) {
      const left = own.filter((level) => !levels.includes(level));
      if (left.length > 0)
        notes.push(`${name}: left out the levels ${left.join(", ")}: ${fields[0]} does not have them`);
    }
  }
  const times = commonTimes(wanted, places, options.dates === null ? pieces[0].variable.path : null);
  return {
    fields,
    levels,
    fieldsSfc,
    times,
    grid,
    channels: wanted.map(([name, level]) => ({
      name,
      level,
      read: (t) => {
        const place = (places.get(`${name} ${level}`) as Map<bigint, Place>).get(times[t]) as Place;
        return readPlace(place, `${name}${level ? ` level ${level}` : ""}`, formatTime(times[t]));
      },
    })),
    units,
    levelsTogether: mostOf(pieces, ({ variable }) => variable.levelsTogether?.() ?? 1),
    notes,
  };
}

/** A channel as messages and attributes name it. */
export const channelName = ({ name, level }: Pick<Channel, "name" | "level">): string =>
  level === 0 ? name : `${name} ${level}`;

async function readPlace(place: Place, what: string, when: string): Promise<Float64Array> {
  const values = await readPlane(place, place.time);
  for (const other of place.again) {
    requireEqual(values, await readPlane(other, other.time), {
      what,
      when,
      files: [place.variable.path, other.variable.path],
    });
  }
  return values;
}

interface Addition {
  piece: FieldPiece;
  level: number;
  grid: GridPlan;
  conversion: Conversion | null;
  dates: [bigint, bigint] | null;
  combine: Combine;
}

/** @returns times that were there before */
function addPlaces(known: Map<bigint, Place>, { piece, level, grid, conversion, dates, combine }: Addition): number {
  const { variable } = piece;
  let twice = 0;
  for (const [time, ns] of variable.times.entries()) {
    if (dates && (ns < dates[0] || ns > dates[1])) continue;
    const place: Place = { variable, time, level, grid, conversion, again: [] };
    const former = known.get(ns);
    if (former) twice += 1;
    if (!former || combine === "last") known.set(ns, place);
    else if (combine === null) former.again.push(place);
  }
  return twice;
}

function twiceNote(what: string, times: number, { variable }: FieldPiece, combine: Combine): string {
  const taken = combine === null ? "the values must be equal" : `the values of the ${combine} file are taken`;
  return `${what}: ${times} times of ${variable.path} are given before: ${taken}`;
}

/** @param file of the times, if all of them are taken */
function commonTimes(
  wanted: [string, number][],
  places: Map<string, Map<bigint, Place>>,
  file: string | null,
): BigInt64Array {
  const all = new Set<bigint>();
  for (const [name, level] of wanted) for (const ns of places.get(`${name} ${level}`)?.keys() ?? []) all.add(ns);
  const times = BigInt64Array.from(all).sort();
  if (times.length === 0 && file !== null) {
    throw new AtmorepError("input", "the file holds no times", { where: file, fix: "Copy or make the file again" });
  }
  if (times.length === 0) {
    throw new AtmorepError("usage", "no time lies in the dates", {
      where: "--dates",
      expected: "a part of the times of the files",
    });
  }
  for (const [name, level] of wanted) {
    const own = places.get(`${name} ${level}`) as Map<bigint, Place>;
    if (own.size === times.length) continue;
    const absent = times.filter((ns) => !own.has(ns));
    throw new AtmorepError("input", `${name}${level ? ` level ${level}` : ""} lacks times that other fields have`, {
      where: [...own.values()][0]?.variable.path ?? name,
      found: `${absent.length} of ${times.length} times absent, the first ${formatTime(absent[0])}`,
      expected: "the same times for every field and level",
      fix: "Add the files that are missing, or cut all to common times with --dates",
    });
  }
  return times;
}

/** Units of the store by field, and what takes each piece's values to them. */
function unitsOf(
  pieces: readonly FieldPiece[],
  given: Readonly<Record<string, string>>,
  notes: string[],
): { units: Record<string, string>; conversions: Map<FieldPiece, Conversion | null> } {
  const stray = Object.keys(given).find((name) => !pieces.some((piece) => piece.name === name));
  if (stray !== undefined) {
    throw new AtmorepError("usage", "no such field is imported", {
      where: `--unit ${stray}=${given[stray]}`,
      expected: [...new Set(pieces.map(({ name }) => name))].join(", "),
    });
  }
  const units: Record<string, string> = {};
  const conversions = new Map<FieldPiece, Conversion | null>();
  for (const piece of pieces) {
    const { name, variable } = piece;
    const text = given[name] ?? variable.units;
    const conversion = conversionOf(name, text, `${variable.path}: ${variable.name}`);
    conversions.set(piece, conversion);
    const where = `${variable.path}: ${variable.name}`;
    if (text === "") notes.push(`${where}: the file gives no unit, the values are taken as they are`);
    else if (!isIdentity(conversion)) {
      notes.push(`${where}: converted from ${text} to ${conversion.unit}`);
    }
    const unit = conversion?.unit ?? text;
    if (unit === "") continue;
    if (units[name] !== undefined && units[name] !== unit) {
      throw new AtmorepError("input", `${name} has two units`, {
        where: variable.path,
        found: unit,
        expected: units[name],
        fix: "Bring the files to one unit first",
      });
    }
    units[name] = unit;
  }
  return { units, conversions };
}

function unlike(
  what: string,
  first: InputVariable,
  other: InputVariable,
  found: string,
  expected: string,
): AtmorepError {
  return new AtmorepError("input", `another ${what} than that of ${first.path}`, {
    where: `${other.path}: ${other.name}`,
    found,
    expected,
    fix: "Import fields of one grid only, or cut them to the same points with --box",
  });
}
