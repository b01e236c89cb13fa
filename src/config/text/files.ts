/** Configuration files: the reference's flat JSON on one line. */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { basename } from "node:path";
import { assertFile } from "../../budgets.js";
import { AtmorepError, isAtmorepError } from "../../errors.js";
import { shorten } from "../faults.js";
import { isConfigFileName } from "../locate.js";
import { nearestName } from "../nearest.js";
import { KEYS, schemaEntry } from "../schema.js";
import { firstHour, withFullTimes } from "../times.js";
import { parseJson } from "./json.js";
import { pythonJson, pythonRepr } from "./python.js";

export interface ReadConfig {
  /** the keys of the file, in its order */
  values: Record<string, unknown>;
  warnings: string[];
}

/** A thousand times the size of the reference's. */
const MAX_BYTES = 2 * 1024 * 1024;
/** Unknown keys that are kept; a file with more is something else. */
const MAX_UNKNOWN = 1000;
/** Unknown keys that are named one by one. */
const NAMED_UNKNOWN = 20;
/** Names the file that editors complete from; no key of a run. */
export const SCHEMA_KEY = "$schema";

/**
 * Reads a configuration, ours or the reference's. Unknown keys are kept and warned about. A bare date that ends a period
 * is its first hour in a run's own file (`model_id<ID>.json`): runs that write such dates were made when it meant that.
 *
 * @throws AtmorepError `config` if the file cannot be read or is no JSON object
 */
export function readConfigFile(path: string): ReadConfig {
  let data: Buffer;
  try {
    data = readStart(path);
  } catch (cause) {
    if (isAtmorepError(cause)) throw new AtmorepError("config", cause.message, { cause });
    const code = (cause as NodeJS.ErrnoException).code;
    throw new AtmorepError("config", code === "ENOENT" ? "no such configuration file" : "cannot read the file", {
      where: path,
      found: code,
      expected: "a JSON file",
      fix: "Give the path of a configuration, or --preset NAME",
      cause,
    });
  }
  if (data.length > MAX_BYTES) {
    throw new AtmorepError("config", "the file is too large for a configuration", {
      where: path,
      found: `more than ${MAX_BYTES} bytes`,
      expected: "a few thousand",
      fix: "Give the path of a configuration",
    });
  }
  const read = parseConfig(data.toString("utf8"), path);
  return isConfigFileName(basename(path)) ? { ...read, values: withFullTimes(read.values, firstHour) } : read;
}

/** Parses the text of a configuration file; `where` names it in messages. */
export function parseConfig(text: string, where: string): ReadConfig {
  const { value, largeIntegers } = parseJson(text, where);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new AtmorepError("config", "not a JSON object at the top", {
      where,
      found: Array.isArray(value) ? "a list" : value === null ? "null" : `a ${typeof value}`,
      expected: '{"key": value, ...}',
      fix: "Give the path of a configuration",
    });
  }
  const values = value as Record<string, unknown>;
  delete values[SCHEMA_KEY];
  const warnings = unknownWarnings(unknownKeys(values), where);
  for (const key of ["torch_seed", "rng_seed"]) {
    const literal = largeIntegers.get(key);
    if (literal === undefined || literal.startsWith("-")) continue;
    // the reference stores PyTorch's 64-bit initial seed when none was given
    values[key] = Number(BigInt(literal) % (1n << 53n));
    warnings.push(`${where}: ${key} ${literal} has more than 53 bits; ${values[key]} (its lower 53 bits) is used`);
  }
  return { values, warnings };
}

/** A file, or as much of it as shows that it is too large. @throws AtmorepError for a pipe or a socket */
function readStart(path: string): Buffer {
  const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const info = fstatSync(file);
    if (!info.isCharacterDevice()) assertFile(info, path);
    const parts: Buffer[] = [];
    for (let left = MAX_BYTES + 1; left > 0; ) {
      const part = Buffer.allocUnsafe(Math.min(left, 1 << 16));
      const read = readSync(file, part);
      if (read === 0) break;
      parts.push(part.subarray(0, read));
      left -= read;
    }
    return Buffer.concat(parts);
  } finally {
    closeSync(file);
  }
}

function unknownWarnings(keys: readonly string[], where: string): string[] {
  if (keys.length > MAX_UNKNOWN) {
    throw new AtmorepError("config", `${keys.length} unknown keys`, {
      where,
      found: keys.slice(0, 3).map(shorten).join(", "),
      expected: `keys of a configuration, and at most ${MAX_UNKNOWN} others`,
      fix: "Give the path of a configuration",
    });
  }
  const warnings = keys.slice(0, NAMED_UNKNOWN).map((key) => {
    const nearest = nearestName(key, KEYS);
    const hint = nearest ? ` (did you mean ${JSON.stringify(nearest)}?)` : "";
    return `${where}: unknown key ${shorten(key)} is kept but not read${hint}`;
  });
  const more = keys.length - NAMED_UNKNOWN;
  return more > 0 ? [...warnings, `${where}: ${more} more unknown keys are kept but not read`] : warnings;
}

/** Keys that the schema does not know, in the order of the file. */
function unknownKeys(values: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(values).filter((key) => !schemaEntry(key));
}

/**
 * The configuration as the reference writes it: one line, Python's separators and floats, no line end.
 * Keys stand in the order of the object; optional keys of the reference are left out while null.
 */
export function configText(config: Readonly<Record<string, unknown>>): string {
  const entries = writtenEntries(config).map(([key, value]) => {
    return `${pythonJson(key)}: ${pythonJson(value, schemaEntry(key)?.kind)}`;
  });
  return `{${entries.join(", ")}}`;
}

/** The reference's console lines at the start of a run: `key : value`, values as Python prints them. */
export function consoleLines(config: Readonly<Record<string, unknown>>): string[] {
  return writtenEntries(config).map(([key, value]) => {
    // the reference prints strings without quotes at the top, with them inside lists
    const text = typeof value === "string" ? value : pythonRepr(value, schemaEntry(key)?.kind);
    return `${key} : ${text}`;
  });
}

function writtenEntries(config: Readonly<Record<string, unknown>>): [string, unknown][] {
  return Object.entries(config).filter(([key, value]) => {
    return key !== SCHEMA_KEY && value !== undefined && !(value === null && schemaEntry(key)?.omitNull);
  });
}

/** The same configuration in the order of files: the reference's keys, ours, unknown ones. */
export function inFileOrder<T extends Readonly<Record<string, unknown>>>(config: T): T {
  const known = KEYS.filter((key) => Object.hasOwn(config, key));
  return Object.fromEntries([...known, ...unknownKeys(config)].map((key) => [key, config[key]])) as T;
}
