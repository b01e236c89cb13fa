/** What a view holds, checked when it is opened: fields, levels, times, grid, and where each plane lies. */
import { nearestName } from "../../config/nearest.js";
import { AtmorepError } from "../../errors.js";
import { type Conversion, conversionOf, isIdentity } from "../import/fieldUnits.js";
import { describeGrid, type GridPlan, planGrid, sameGrid } from "../import/grid.js";
import { levelsOf, type PlaneSource } from "../import/source.js";
import type { InputFile, InputVariable } from "../import/types.js";
import { formatTime } from "../time.js";
import type { Mapping } from "./mapping.js";
import { commonTimes, PlaceFinder, type Places, placesAt } from "./places.js";

/** One field on one level. */
export interface ViewChannel {
  name: string;
  /** 0 at the surface */
  level: number;
  /** one a file */
  segments: PlaneSource[];
  /** of the times of the view */
  places: Places;
}

export interface ViewPlan {
  fields: string[];
  levels: number[];
  fieldsSfc: string[];
  times: BigInt64Array;
  grid: GridPlan;
  /** by field and level */
  upper: ViewChannel[];
  surface: ViewChannel[];
  /** units of the values, by field, where they are known */
  units: Record<string, string>;
  /** times that every source decodes together; 1 where they differ */
  timesTogether: number;
  notes: string[];
}

/** A variable of a field, on the levels that are asked for. */
interface Piece {
  field: string;
  /** null: the variable's own levels */
  level: number | null;
  surface: boolean;
  variable: InputVariable;
}

/** @throws AtmorepError (input) for what the files lack, with what is near it */
export function planView(files: readonly InputFile[], mapping: Mapping, where: string): ViewPlan {
  const pieces = piecesOf(files, mapping, where);
  const notes: string[] = [];
  const grids = gridsOf(pieces);
  const grid = grids.get(pieces[0].variable) as GridPlan;
  const { units, conversions } = unitsOf(pieces, mapping.units ?? {}, notes);
  const byField = new Map<string, Map<number, PlaneSource[]>>();
  for (const piece of pieces) {
    const key = `${piece.surface ? "surface" : "upper"} ${piece.field}`;
    const levels = byField.get(key) ?? new Map<number, PlaneSource[]>();
    byField.set(key, levels);
    for (const [level, index] of levelsOf(piece, (levels, to) => `Near it: ${nearLevels(levels, to).join(", ")}`)) {
      const { variable } = piece;
      const segment = {
        variable,
        level: index,
        grid: grids.get(variable) as GridPlan,
        conversion: conversions.get(piece) ?? null,
      };
      levels.set(level, [...(levels.get(level) ?? []), segment]);
    }
  }
  const fields = [...new Set(pieces.filter(({ surface }) => !surface).map(({ field }) => field))];
  const fieldsSfc = [...new Set(pieces.filter(({ surface }) => surface).map(({ field }) => field))];
  const levelsByField = new Map(
    fields.map((field) => [field, byField.get(`upper ${field}`) as Map<number, PlaneSource[]>]),
  );
  const levels = levelsOfAll(levelsByField, mapping.levels, where, notes);

  const finder = new PlaceFinder(mapping.combine);
  const found = [
    ...fields.flatMap((name) =>
      levels.map((level) => ({ name, level, segments: levelsByField.get(name)?.get(level) })),
    ),
    ...fieldsSfc.map((name) => ({ name, level: 0, segments: byField.get(`surface ${name}`)?.get(0) })),
  ].map(({ name, level, segments = [] }) => {
    return { name, level, segments, places: finder.of(segments.map(({ variable }) => variable)) };
  });
  const times = timesOfAll(found, where, notes);
  const placed = new Map<Places, Places>();
  const channels = found.map((channel) => {
    const places = placed.get(channel.places) ?? placesAt(channel.places, times);
    placed.set(channel.places, places);
    return { ...channel, places };
  });
  const upper = fields.length * levels.length;
  const together = new Set(
    channels.map(({ segments }) => (segments.length > 1 ? 1 : togetherOf(segments[0].variable))),
  );
  return {
    fields,
    levels,
    fieldsSfc,
    times,
    grid,
    upper: channels.slice(0, upper),
    surface: channels.slice(upper),
    units,
    timesTogether: Math.min(...together),
    notes,
  };
}

const togetherOf = (variable: InputVariable): number => variable.timesTogether?.() ?? 1;

function piecesOf(files: readonly InputFile[], { fields, surface }: Mapping, where: string): Piece[] {
  const upper = Object.entries(fields).flatMap(([field, of]): Piece[] =>
    typeof of === "string"
      ? named(files, of, `${where}: ${field}`).map((variable) => ({ field, level: null, surface: false, variable }))
      : Object.entries(of).flatMap(([level, name]) =>
          named(files, name, `${where}: ${field} on ${level}`).map((variable) => {
            return { field, level: Number(level), surface: false, variable };
          }),
        ),
  );
  const flat = Object.entries(surface).flatMap(([field, name]) =>
    named(files, name, `${where}: ${field}`).map((variable) => ({ field, level: null, surface: true, variable })),
  );
  for (const { field, level, surface: isSurface, variable } of [...upper, ...flat]) {
    const { levels, name, path } = variable;
    if (!isSurface && levels === null && level === null) {
      throw new AtmorepError("input", "the variable has no levels", {
        where: `${path}: ${name}`,
        expected: `a surface field, or its level: "${field}": { "500": "${name}" }`,
        fix: "Change the mapping: surface holds fields without levels",
      });
    }
    if (isSurface && levels !== null && levels.length > 1) {
      throw new AtmorepError("input", "the variable has levels, so it is no surface field", {
        where: `${path}: ${name}`,
        found: `levels ${levels.join(", ")}`,
        fix: "Name it in fields of the mapping",
      });
    }
  }
  return [...upper, ...flat];
}

/** The variables of a name, one a file. */
function named(files: readonly InputFile[], name: string, where: string): InputVariable[] {
  const found = files.flatMap((file) => file.variables.filter((v) => v.name === name || v.alias === name));
  if (found.length > 0) return found;
  const why = files.flatMap((file) => file.skipped).find((entry) => entry.name === name)?.why;
  const names = [...new Set(files.flatMap((file) => file.variables.map((variable) => variable.name)))];
  const near = nearestName(name, names);
  throw new AtmorepError("input", why ? `the variable ${name} cannot be used` : `there is no variable ${name}`, {
    where,
    found: why ?? `the gridded variables ${names.slice(0, 40).join(", ")}${names.length > 40 ? ", ..." : ""}`,
    expected: "a variable of time, (level,) latitude, longitude",
    fix: near ? `Did you mean ${near}?` : "Correct the mapping",
  });
}

function gridsOf(pieces: readonly Piece[]): Map<InputVariable, GridPlan> {
  const plans: { lats: Float64Array; lons: Float64Array; plan: GridPlan }[] = [];
  const grids = new Map<InputVariable, GridPlan>();
  for (const { variable } of pieces) {
    const { lats, lons, path, name } = variable;
    const same = plans.find((entry) => equal(entry.lats, lats) && equal(entry.lons, lons));
    const plan = same?.plan ?? planGrid(lats, lons, null, `${path}: ${name}`);
    if (!same) plans.push({ lats, lons, plan });
    grids.set(variable, plan);
    if (sameGrid(plans[0].plan, plan)) continue;
    const first = pieces[0].variable;
    throw new AtmorepError("input", `another grid than that of ${first.name} (${first.path})`, {
      where: `${path}: ${name}`,
      found: describeGrid(plan),
      expected: describeGrid(plans[0].plan),
      fix: "Take it out of the mapping, or bring both to one grid first",
    });
  }
  return grids;
}

const equal = (a: Float64Array, b: Float64Array) => a === b || (a.length === b.length && a.every((v, i) => v === b[i]));

const nearLevels = (levels: readonly number[], to: number): number[] =>
  [...levels].sort((a, b) => Math.abs(a - to) - Math.abs(b - to)).slice(0, 3);

/** Levels that every upper-air field has, or those asked for. */
function levelsOfAll(
  byField: ReadonlyMap<string, ReadonlyMap<number, unknown>>,
  asked: readonly number[] | undefined,
  where: string,
  notes: string[],
): number[] {
  if (byField.size === 0) return [];
  for (const [field, own] of byField) {
    const lacking = asked?.find((level) => !own.has(level));
    if (lacking === undefined) continue;
    const all = [...own.keys()];
    throw new AtmorepError("input", `${field} is not on level ${lacking}`, {
      where,
      found: `levels ${all.join(", ")}`,
      fix: `Change levels in the mapping; near it: ${nearLevels(all, lacking).join(", ")}`,
    });
  }
  if (asked) return [...asked];
  const [[first, ofFirst]] = byField;
  const common = [...ofFirst.keys()].filter((level) => [...byField.values()].every((own) => own.has(level)));
  for (const [field, own] of byField) {
    const left = [...own.keys()].filter((level) => !common.includes(level));
    if (left.length > 0 && common.length > 0) {
      notes.push(`${field}: left out the levels ${left.join(", ")}: not every upper-air field has them`);
    }
  }
  if (common.length > 0) return common;
  const other = [...byField].find(([, own]) => ![...ofFirst.keys()].some((level) => own.has(level)));
  throw new AtmorepError("input", "the upper-air fields have no level in common", {
    where,
    found: `${first} on ${[...ofFirst.keys()].join(", ")}; ${other ? `${other[0]} on ${[...other[1].keys()].join(", ")}` : "others"}`,
    fix: "Take one of them out of the mapping",
  });
}

/** Times that every field has. */
function timesOfAll(
  channels: readonly { name: string; places: Places }[],
  where: string,
  notes: string[],
): BigInt64Array {
  let times = channels[0].places.times;
  for (const { name, places } of channels) {
    const both = commonTimes(times, places.times);
    if (both.length === 0) {
      throw new AtmorepError("input", `${name} has no time that the other fields have`, {
        where,
        found: span(places.times),
        expected: `times among ${span(times)}`,
        fix: "Take it out of the mapping, or add the files of the same times",
      });
    }
    times = both;
  }
  const told = new Set<BigInt64Array>();
  for (const { name, places } of channels) {
    const more = places.times.length - times.length;
    if (more === 0 || told.has(places.times)) continue;
    told.add(places.times);
    notes.push(`${name}: ${more} of ${places.times.length} times left out, which other fields do not have`);
  }
  return times;
}

const span = (times: BigInt64Array) =>
  times.length === 0
    ? "no times"
    : `${times.length} times, ${formatTime(times[0])} to ${formatTime(times[times.length - 1])}`;

/** Units of the fields, and what takes each piece's values to them. */
function unitsOf(
  pieces: readonly Piece[],
  given: Readonly<Record<string, string>>,
  notes: string[],
): { units: Record<string, string>; conversions: Map<Piece, Conversion | null> } {
  const units: Record<string, string> = {};
  const conversions = new Map<Piece, Conversion | null>();
  const said = new Set<string>();
  for (const piece of pieces) {
    const { field, variable } = piece;
    const where = `${variable.path}: ${variable.name}`;
    const text = given[field] ?? variable.units;
    const conversion = conversionOf(
      field,
      text,
      where,
      `give the unit in the mapping: "units": { "${field}": "UNIT" }`,
    );
    conversions.set(piece, conversion);
    const note =
      text === ""
        ? `${field}: the files give no unit, the values are taken as they are`
        : !isIdentity(conversion)
          ? `${field}: converted from ${text} to ${conversion.unit}`
          : null;
    if (note && !said.has(note)) notes.push(note);
    if (note) said.add(note);
    const unit = conversion?.unit ?? text;
    if (unit === "") continue;
    if (units[field] !== undefined && units[field] !== unit) {
      throw new AtmorepError("input", `${field} has two units`, {
        where,
        found: unit,
        expected: units[field],
        fix: "Take the variable of one unit only, or give the unit in the mapping",
      });
    }
    units[field] = unit;
  }
  return { units, conversions };
}
