/** The mapping file: which variables of which files are which fields. `atmorep data info SOURCE --map FILE` writes it. */
import { dirname } from "node:path";
import { jsonFault, readBounded } from "../../budgets.js";
import { nearestName } from "../../config/nearest.js";
import { AtmorepError, isAtmorepError } from "../../errors.js";

/** A variable of every level of the field, or one a level: `{ "500": "u500", "850": "u850" }`. */
export type VariableOf = string | Record<string, string>;

export interface Mapping {
  /** one source: a Zarr group, a file, or a pattern of files; relative to the folder of the mapping */
  source?: string;
  /** several of them, in place of `source` */
  files?: string[];
  /** upper-air fields */
  fields: Record<string, VariableOf>;
  /** surface fields */
  surface: Record<string, string>;
  /** levels to take, in this order; absent: those that all fields have */
  levels?: number[];
  /** unit of a field's values in the files, in place of what they say */
  units?: Record<string, string>;
  /** where a field has a time twice: the first or the last file's is taken; absent: that is refused */
  combine?: "first" | "last";
}

/** Names of a hundred thousand files. */
const MOST_BYTES = 16 * 2 ** 20;
const KEYS = ["source", "files", "fields", "surface", "levels", "units", "combine"];

/** @returns the mapping, and the folder that its names of files start from. @throws AtmorepError (input) naming the key */
export async function readMapping(path: string): Promise<{ mapping: Mapping; folder: string }> {
  const read = await readBounded(path, MOST_BYTES).catch((cause: NodeJS.ErrnoException) => {
    if (isAtmorepError(cause)) throw cause;
    throw new AtmorepError("input", `cannot be read (${cause.code})`, { where: path, cause });
  });
  const text = read.toString("utf8");
  const fault = jsonFault(text);
  if (fault !== null) throw new AtmorepError("input", `the mapping cannot be read: ${fault}`, { where: path });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new AtmorepError("input", "the mapping is no JSON", {
      where: path,
      found: (cause as Error).message,
      fix: '"atmorep data info SOURCE --map FILE" writes one to start from',
      cause,
    });
  }
  return { mapping: checkMapping(value, path), folder: dirname(path) };
}

function checkMapping(value: unknown, path: string): Mapping {
  const fail = (key: string, found: unknown, expected: string) =>
    new AtmorepError("input", "the mapping is not valid", {
      where: `${path}: ${key}`,
      found,
      expected,
      fix: '"atmorep data info SOURCE --map" shows one; docs/data.md, Sources without import, tells the keys',
    });
  if (!isObject(value)) throw fail("the file", value, "an object with source or files, fields and surface");
  const stray = Object.keys(value).find((key) => !KEYS.includes(key));
  if (stray !== undefined) {
    const near = nearestName(stray, KEYS);
    throw fail(stray, value[stray], `one of the keys ${KEYS.join(", ")}${near ? `; did you mean ${near}?` : ""}`);
  }
  const { source, files, fields = {}, surface = {}, levels, units, combine } = value;
  if ((source === undefined) === (files === undefined)) {
    throw fail("source", source, "source or files, one of the two");
  }
  if (source !== undefined && (typeof source !== "string" || source === "")) {
    throw fail("source", source, "a path, pattern or address");
  }
  if (files !== undefined && !(Array.isArray(files) && files.length > 0 && files.every(isText))) {
    throw fail("files", files, "a list of paths, patterns or addresses");
  }
  const name = /^[^=:@\s]+$/;
  const isVariables = (of: unknown) =>
    isText(of) ||
    (isObject(of) &&
      Object.entries(of).length > 0 &&
      Object.entries(of).every(([l, v]) => /^[1-9]\d*$/.test(l) && isText(v)));
  if (!isObject(fields)) throw fail("fields", fields, 'names of fields and variables: { "temperature": "t" }');
  for (const [field, of] of Object.entries(fields)) {
    if (!name.test(field) || !isVariables(of)) {
      throw fail(`fields.${field}`, of, 'the name of a variable, or one a level: { "500": "t500" }');
    }
  }
  if (!isObject(surface)) throw fail("surface", surface, 'names of fields and variables: { "t2m": "2m_temperature" }');
  for (const [field, of] of Object.entries(surface)) {
    if (!name.test(field) || !isText(of)) throw fail(`surface.${field}`, of, "the name of a variable");
  }
  if (Object.keys(fields).length + Object.keys(surface).length === 0) {
    throw fail("fields", fields, "at least one field, here or in surface");
  }
  const isLevels = (all: unknown[]) => all.every((l) => Number.isInteger(l) && (l as number) > 0);
  if (levels !== undefined && !(Array.isArray(levels) && levels.length > 0 && isLevels(levels))) {
    throw fail("levels", levels, "a list of whole numbers above 0");
  }
  if (Array.isArray(levels) && new Set(levels).size < levels.length) throw fail("levels", levels, "each level once");
  if (units !== undefined) {
    if (!isObject(units)) throw fail("units", units, 'units by field: { "temperature": "degC" }');
    for (const [field, text] of Object.entries(units)) {
      if (!(field in fields) && !(field in surface)) throw fail(`units.${field}`, text, "a field of the mapping");
      if (!isText(text)) throw fail(`units.${field}`, text, "a unit as text");
    }
  }
  if (combine !== undefined && combine !== "first" && combine !== "last") {
    throw fail("combine", combine, '"first" or "last"');
  }
  return { ...value, fields, surface } as Mapping;
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
