/**
 * Reads GRIB files of editions 1 and 2: an index of all messages is made first, then each plane is decoded when it is
 * asked for. Layout: WMO Manual on Codes, FM 92 GRIB.
 */
import { AtmorepError } from "../../errors.js";
import { readMessage1 } from "./grib1.js";
import { readMessage2 } from "./grib2.js";
import type { GribField, GribGrid } from "./gribField.js";
import type { InputFile, InputVariable } from "./types.js";
import { type FileView, openFileView } from "./view.js";

/** Messages may be padded; this much is searched for the next one. */
const SEARCH = 1 << 16;

/** @throws AtmorepError (input) if the file is damaged or of a kind that is not read */
export async function openGrib(path: string): Promise<InputFile> {
  const view = await openFileView(path);
  try {
    const file: InputFile = { path, format: "GRIB", variables: [], skipped: [], close: () => view.close() };
    const groups = new Map<string, GribField[]>();
    for (const field of await indexOf(view, file)) {
      // Values at two heights are two variables only if they have two names.
      const group = groups.get(field.name) ?? [];
      group.push(field);
      groups.set(field.name, group);
    }
    for (const fields of groups.values()) {
      const variable = variableOf(view, fields);
      if (typeof variable === "string") file.skipped.push({ name: fields[0].name, why: variable });
      else file.variables.push(variable);
    }
    return file;
  } catch (error) {
    await view.close();
    throw error;
  }
}

async function indexOf(view: FileView, file: InputFile): Promise<GribField[]> {
  const fields: GribField[] = [];
  for (let offset = await nextMessage(view, 0); offset !== null; ) {
    const edition = (await view.read(offset, 8))[7];
    const read = edition === 1 ? readMessage1 : edition === 2 ? readMessage2 : null;
    if (!read) {
      throw new AtmorepError("input", "a GRIB edition that is not read", {
        where: `${view.path}: byte ${offset}`,
        found: edition,
        expected: "1 or 2",
      });
    }
    const message = await read(view, offset);
    // A file cut short is told of now, not when its last plane is due.
    await view.read(offset + message.length - 4, 4);
    for (const found of message.fields) {
      if ("why" in found) {
        if (!file.skipped.some((entry) => entry.name === found.name)) file.skipped.push(found);
      } else fields.push(found);
    }
    offset = await nextMessage(view, offset + message.length);
  }
  return fields;
}

async function nextMessage(view: FileView, from: number): Promise<number | null> {
  const length = Math.min(SEARCH, view.size - from);
  if (length < 8) return null;
  const { buffer } = await view.read(from, length);
  const found = Buffer.from(buffer as ArrayBuffer).indexOf("GRIB", 0, "latin1");
  return found < 0 ? null : from + found;
}

/** Fields of one name as one variable, or why they are none. */
function variableOf(view: FileView, fields: GribField[]): InputVariable | string {
  const [first] = fields;
  const upper = fields.filter((field) => field.level !== null);
  if (upper.length > 0 && upper.length < fields.length) return "it stands both on levels and at the surface";
  if (fields.some((field) => field.kind !== first.kind)) return "it stands on levels of several kinds";
  if (fields.some((field) => !sameAxes(field.grid, first.grid))) return "its messages have several grids";
  const times = [...new Set(fields.map((field) => field.time))].sort((a, b) => (a < b ? -1 : 1));
  const levels = upper.length > 0 ? [...new Set(upper.map((field) => field.level as number))] : null;
  const byPlace = new Map<string, GribField>();
  for (const field of fields) {
    const key = `${field.time} ${field.level}`;
    if (byPlace.has(key)) return "several messages have the same time and level (ensemble members, or forecast steps)";
    byPlace.set(key, field);
  }
  return {
    name: first.name,
    path: view.path,
    units: first.units,
    levels,
    times: BigInt64Array.from(times),
    lats: first.grid.lats,
    lons: first.grid.lons,
    async readPlane(t, l) {
      const field = byPlace.get(`${times[t]} ${levels ? levels[l] : null}`);
      // A level that is absent at some times only is missing there.
      if (!field) return new Float64Array(first.grid.lats.length * first.grid.lons.length).fill(Number.NaN);
      return field.decode();
    },
  };
}

function sameAxes(a: GribGrid, b: GribGrid): boolean {
  const same = (x: Float64Array, y: Float64Array) => x.length === y.length && x.every((value, i) => value === y[i]);
  return a === b || (same(a.lats, b.lats) && same(a.lons, b.lons));
}
