/**
 * Reads GRIB files of editions 1 and 2: an index of all messages is made first, then each plane is decoded when it is
 * asked for. Headers, simple packing and plain floats are read here, which needs no library and cannot crash; values of
 * other packings are unpacked by ecCodes in a process of its own. So there is one answer to what a message is, with
 * ecCodes and without. Layout: WMO Manual on Codes, FM 92 GRIB.
 */
import { AtmorepError } from "../../../errors.js";
import { formatTime } from "../../time.js";
import type { InputFile, InputVariable } from "../types.js";
import { type FileView, openFileView } from "../view.js";
import { readMessage1 } from "./edition1.js";
import { readMessage2 } from "./edition2.js";
import type { GribField } from "./field.js";
import { UPPER } from "./levels.js";
import { damaged } from "./octets.js";
import { sameAxes } from "./regularGrid.js";

/** Bytes that are searched at a time for the next message: there may be others between. */
const SEARCH = 1 << 20;
const MARK = "GRIB";

/** @throws AtmorepError (input) if the file is damaged or of a kind that is not read */
export async function openGrib(path: string): Promise<InputFile> {
  const view = await openFileView(path);
  try {
    const file: InputFile = { path, format: "GRIB", variables: [], skipped: [], close: () => view.close() };
    const groups = new Map<string, GribField[]>();
    for (const field of await indexOf(view, file)) {
      // Values at two heights are two variables only if they have two names.
      const group = groups.get(field.name.name) ?? [];
      group.push(field);
      groups.set(field.name.name, group);
    }
    for (const [name, fields] of groups) {
      const variable = variableOf(view, fields);
      if (typeof variable === "string") file.skipped.push({ name, why: variable });
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
  let count = 0;
  for (let offset = await nextMessage(view, 0); offset !== null; ) {
    const where = `${view.path}: message ${++count} (byte ${offset})`;
    const edition = (await view.read(offset, 8))[7];
    const read = edition === 1 ? readMessage1 : edition === 2 ? readMessage2 : null;
    if (!read) {
      throw new AtmorepError("input", "a GRIB edition that is not read", { where, found: edition, expected: "1 or 2" });
    }
    const message = await read(view, offset, where);
    // A file cut short is told of now, not when its last plane is due.
    const end = await view.read(offset + message.length - 4, 4);
    if (Buffer.from(end).toString("latin1") !== "7777") throw damaged(where, "no 7777 at its end");
    for (const found of message.fields) {
      if ("why" in found) {
        const isTold = file.skipped.some(({ name, why }) => name === found.name && why === found.why);
        if (!isTold) file.skipped.push(found);
      } else if (BigInt.asIntN(64, found.time) !== found.time) {
        throw damaged(where, "a time outside of the years 1678 to 2261");
      } else fields.push(found);
    }
    offset = await nextMessage(view, offset + message.length);
  }
  return fields;
}

async function nextMessage(view: FileView, from: number): Promise<number | null> {
  for (let at = from; at + 8 <= view.size; at += SEARCH - MARK.length) {
    const bytes = await view.read(at, Math.min(SEARCH, view.size - at));
    const found = Buffer.from(bytes.buffer as ArrayBuffer).indexOf(MARK, 0, "latin1");
    if (found >= 0) return at + found + 8 <= view.size ? at + found : null;
  }
  return null;
}

/** Fields of one name as one variable, or why they are none. */
function variableOf(view: FileView, fields: GribField[]): InputVariable | string {
  const [first] = fields;
  const { name, grid, kind } = first;
  const kinds = new Set(fields.map((field) => field.kind));
  if (kinds.size > 1)
    return `it stands on levels of several kinds (${[...kinds].join(", ")}); ${choose("typeOfLevel", kind)}`;
  if (fields.some((field) => !sameAxes(field.grid, grid))) return "its messages have several grids";
  const members = new Set(fields.map((field) => field.member));
  if (members.size > 1) {
    const numbers = [...members].map((member) => member ?? "none");
    return `it has ${members.size} members of an ensemble (${numbers.join(", ")}); ${choose("number", numbers[0])}`;
  }
  const values = [...new Set(fields.map((field) => field.level))];
  const levels = UPPER.has(kind) ? values : null;
  if (!levels && values.length > 1) {
    return `it stands on several levels of ${kind} (${values.join(", ")}); ${choose("level", values[0])}`;
  }
  const times = [...new Set(fields.map((field) => field.time))].sort((a, b) => (a < b ? -1 : 1));
  const byPlace = new Map<string, GribField>();
  for (const field of fields) {
    const key = `${field.time} ${field.level}`;
    const other = byPlace.get(key);
    if (other) {
      const at = `${formatTime(field.time)}${levels ? ` on level ${field.level}` : ""}`;
      return `several messages have the same time and level (${at}), as forecasts of several lengths have; ${choose("step", 0)}`;
    }
    byPlace.set(key, field);
  }
  return {
    name: name.name,
    alias: name.short,
    path: view.path,
    units: name.units,
    levels,
    times: BigInt64Array.from(times),
    lats: grid.lats,
    lons: grid.lons,
    async readPlane(t, l) {
      const field = byPlace.get(`${times[t]} ${levels ? levels[l] : values[0]}`);
      // A level that is absent at some times only is missing there.
      if (!field) return new Float64Array(grid.points).fill(Number.NaN);
      return field.grid.arrange(await field.values());
    },
  };
}

const choose = (key: string, value: string | number) =>
  `take one of them, for instance with grib_copy -w ${key}=${value} FILE OUT`;
