/** Overrides `path=value` of a configuration, such as `fields[0][2]=[96,105]`. */
import { AtmorepError } from "../../errors.js";
import { abbreviated, shorten } from "../faults.js";
import { nearestName } from "../nearest.js";
import { KEYS, schemaEntry } from "../schema.js";
import { MAX_DEPTH } from "./json.js";

export interface Override {
  key: string;
  indices: number[];
  value: unknown;
  /** as it was given, for messages */
  text: string;
}

const PATH = /^([A-Za-z_][A-Za-z0-9_]*)((?:\[\d+\])*)$/;

/**
 * Reads one override. The value is JSON if it parses, else the string itself; a list whose quotes the shell has
 * taken away (`losses=[mse,crps]`) is still a list of names.
 *
 * @throws AtmorepError `usage` for a malformed path or a key that does not exist
 */
export function parseOverride(text: string): Override {
  const equals = text.indexOf("=");
  const path = text.slice(0, equals).trim();
  const match = equals > 0 ? PATH.exec(path) : null;
  if (!match) {
    throw new AtmorepError("usage", "malformed override", {
      where: "--set",
      found: abbreviated(text),
      expected: "path=value, such as fields[0][2]=[96,105]",
      fix: "Quote the whole of it for the shell: --set 'losses=[\"mse\"]'",
    });
  }
  const [, key, places] = match;
  assertKnownKey(key);
  const indices = [...places.matchAll(/\d+/g)].map(([digits]) => Number(digits));
  return { key, indices, value: parseOverrideValue(text.slice(equals + 1)), text };
}

function parseOverrideValue(text: string): unknown {
  if (nesting(text) > MAX_DEPTH) {
    throw new AtmorepError("usage", `nested deeper than ${MAX_DEPTH}`, {
      where: "--set",
      found: abbreviated(text),
      expected: "path=value, such as fields[0][2]=[96,105]",
      fix: "Close each bracket before the next",
    });
  }
  const value = parseOrUndefined(text);
  if (value !== undefined) return value;
  const requoted = /^\[[^"]*\]$/.test(text) ? parseOrUndefined(text.replace(BARE_WORD, '"$&"')) : undefined;
  return requoted ?? text;
}

/** How deep brackets stand in each other, those within strings too. */
function nesting(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const character of text) {
    if (character === "[" || character === "{") deepest = Math.max(deepest, ++depth);
    else if (character === "]" || character === "}") depth--;
  }
  return deepest;
}

/** Words that are neither part of a number nor JSON's own. */
const BARE_WORD = /(?<![\w.+-])(?!(?:true|false|null)\b)[A-Za-z_][\w-]*/g;

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @throws AtmorepError `usage`, naming the option or argument `where`, for a key that does not exist */
export function assertKnownKey(key: string, where = "--set"): void {
  if (schemaEntry(key)) return;
  const nearest = nearestName(key, KEYS);
  throw new AtmorepError("usage", "unknown key", {
    where,
    found: abbreviated(key),
    expected: "a key of the configuration (atmorep config docs lists them)",
    fix: nearest ? `Did you mean ${nearest}?` : "Look it up with atmorep config docs",
  });
}

/**
 * A copy of `values` with the override applied. Indices must exist.
 *
 * @throws AtmorepError `usage` if an index does not exist
 */
export function applyOverride(values: Readonly<Record<string, unknown>>, override: Override): Record<string, unknown> {
  const { key, indices, value } = override;
  return { ...values, [key]: replaceAt(values[key], indices, value, key, override.text) };
}

function replaceAt(current: unknown, indices: readonly number[], value: unknown, path: string, text: string): unknown {
  if (indices.length === 0) return value;
  const [index, ...rest] = indices;
  if (!Array.isArray(current) || index >= current.length) {
    throw new AtmorepError("usage", `${path}[${index}] does not exist`, {
      where: "--set",
      found: abbreviated(text),
      expected: Array.isArray(current)
        ? `an index below ${current.length} in ${path}`
        : `${path} is ${shorten(current)}, not a list`,
      fix: `Set the whole of ${path} instead`,
    });
  }
  return current.map((item, i) => (i === index ? replaceAt(item, rest, value, `${path}[${index}]`, text) : item));
}

/** Overrides as text, from `["a=1"]` or from an object `{a: 1}` (keys may be paths). */
export function parseOverrides(set: readonly string[] | Readonly<Record<string, unknown>> = []): Override[] {
  if (Array.isArray(set)) return set.map(parseOverride);
  return Object.entries(set).map(([path, value]) => ({ ...parseOverride(`${path}=`), value, text: path }));
}
