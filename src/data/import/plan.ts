/** What will be written, checked before anything is: channels and where their planes come from, times, grid. */
import { AtmorepError } from "../../errors.js";
import { formatTime } from "../time.js";
import { arrange, type Box, type GridPlan, planGrid, sameGrid } from "./grid.js";
import type { FieldPiece } from "./request.js";
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
  /** text of the files by field, where they have one */
  units: Record<string, string>;
}

export interface PlanOptions {
  /** levels to keep, in this order; null for those of the first field */
  levels: number[] | null;
  box: Box | null;
  /** first and last time to take, both inclusive; null for all */
  dates: [bigint, bigint] | null;
}

/** Where the plane of a channel at one time lies. */
interface Place {
  variable: InputVariable;
  time: number;
  level: number;
  grid: GridPlan;
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

  const places = new Map<string, Map<bigint, Place>>();
  const ownLevels = new Map<string, number[]>();
  for (const piece of pieces) {
    for (const [level, index] of levelsOf(piece)) {
      const key = `${piece.name} ${level}`;
      const known = places.get(key) ?? new Map<bigint, Place>();
      places.set(key, known);
      addPlaces(known, piece, index, grids.get(piece.variable) as GridPlan, options.dates);
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
  const times = commonTimes(wanted, places);
  return {
    fields,
    levels,
    fieldsSfc,
    times,
    grid,
    channels: wanted.map(([name, level]) => ({
      name,
      level,
      read: (t) => readPlace((places.get(`${name} ${level}`) as Map<bigint, Place>).get(times[t]) as Place),
    })),
    units: unitsOf(pieces),
  };
}

async function readPlace({ variable, time, level, grid }: Place): Promise<Float64Array> {
  return arrange(await variable.readPlane(time, level), grid);
}

/** Levels that a piece gives, with the index on the variable's own axis. */
function levelsOf({ surface, level, variable }: FieldPiece): [level: number, index: number][] {
  if (surface) return [[0, 0]];
  if (variable.levels === null) return [[level as number, 0]];
  const all = variable.levels.map((own, index): [number, number] => [own, index]);
  if (level === null) return all;
  const chosen = all.filter(([own]) => own === level);
  if (chosen.length > 0) return chosen;
  throw new AtmorepError("input", `there is no level ${level}`, {
    where: `${variable.path}: ${variable.name}`,
    found: `levels ${variable.levels.join(", ")}`,
  });
}

function addPlaces(
  known: Map<bigint, Place>,
  { name, variable }: FieldPiece,
  level: number,
  grid: GridPlan,
  dates: [bigint, bigint] | null,
): void {
  for (const [time, ns] of variable.times.entries()) {
    if (dates && (ns < dates[0] || ns > dates[1])) continue;
    const former = known.get(ns);
    if (former) {
      throw new AtmorepError("input", `${name} is given twice for ${formatTime(ns)}`, {
        where: variable.path,
        found: former.variable === variable ? "the same time twice in the file" : `${former.variable.path} has it too`,
        expected: "each field, level and time once",
      });
    }
    known.set(ns, { variable, time, level, grid });
  }
}

function commonTimes(wanted: [string, number][], places: Map<string, Map<bigint, Place>>): BigInt64Array {
  const all = new Set<bigint>();
  for (const [name, level] of wanted) for (const ns of places.get(`${name} ${level}`)?.keys() ?? []) all.add(ns);
  const times = BigInt64Array.from(all).sort();
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

function unitsOf(pieces: readonly FieldPiece[]): Record<string, string> {
  const units: Record<string, string> = {};
  for (const { name, variable } of pieces) {
    if (variable.units === "") continue;
    if (units[name] !== undefined && units[name] !== variable.units) {
      throw new AtmorepError("input", `${name} has two units`, {
        where: variable.path,
        found: variable.units,
        expected: units[name],
        fix: "Bring the files to one unit first",
      });
    }
    units[name] = variable.units;
  }
  return units;
}

const describeGrid = ({ lats, lons, res }: GridPlan) =>
  `${lats.length} x ${lons.length} points, ${res.join(" x ")} degrees, from ${90 - lats[0]} North, ${lons[0]} East`;

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
