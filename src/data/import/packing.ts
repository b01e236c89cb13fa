/** From the numbers of a file to values: sign, missing values, valid range, then `scale_factor` and `add_offset`. */
import { AtmorepError } from "../../errors.js";
import type { RawValues, RawVariable } from "./types.js";

/**
 * How the numbers of a variable become values, by the CF conventions and NUG: missing values and the valid range count
 * before unpacking (a range given as floats over packed integers after it), `_Unsigned` turns the sign of integers.
 * @returns numbers of the file to values, NaN where missing
 * @throws AtmorepError (input) for attributes that cannot be followed
 */
export function unpacker(raw: RawVariable, where: string): (values: RawValues) => Float64Array {
  const { attrs, integer } = raw;
  const sign = signOf(raw, where);
  const scale = single(raw, "scale_factor", 1, where);
  const offset = single(raw, "add_offset", 0, where);
  if (!Number.isFinite(scale) || scale === 0 || !Number.isFinite(offset)) {
    throw cannot(raw, scale === 0 || !Number.isFinite(scale) ? "scale_factor" : "add_offset", "a number", where);
  }
  const packed = scale !== 1 || offset !== 0;

  const fills = numbersOf(raw, "_FillValue", where);
  if (fills.length === 0 && raw.defaultFill !== null) fills.push(raw.defaultFill);
  const missing = new Set<number>();
  for (const fill of [...fills, ...numbersOf(raw, "missing_value", where)]) {
    missing.add(sign(fill));
    // An attribute in double precision stands for the float32 that the file holds.
    if (raw.isSingle) missing.add(Math.fround(fill));
  }

  const range = numbersOf(raw, "valid_range", where);
  if (attrs.valid_range !== undefined && range.length !== 2) throw cannot(raw, "valid_range", "two numbers", where);
  const low = range[0] ?? numbersOf(raw, "valid_min", where)[0] ?? -Infinity;
  const high = range[1] ?? numbersOf(raw, "valid_max", where)[0] ?? Infinity;
  const names = ["valid_range", "valid_min", "valid_max"].filter((name) => attrs[name] !== undefined);
  const after = Boolean(integer) && packed && names.some((name) => raw.floatAttrs?.has(name));
  if (integer && packed && !after && [low, high].some((bound) => Number.isFinite(bound) && !Number.isInteger(bound))) {
    throw cannot(raw, names[0], "whole numbers, as the packed values are", where);
  }
  const [least, most] = integer && !after ? [sign(low), sign(high)] : [low, high];
  return (values) => {
    const out = new Float64Array(values.length);
    for (let i = 0; i < values.length; i++) {
      const number = sign(values[i]);
      const value = number * scale + offset;
      const tested = after ? value : number;
      out[i] = missing.has(number) || tested < least || tested > most ? Number.NaN : value;
    }
    return out;
  };
}

/** Integers as `_Unsigned` says that they are meant. */
function signOf(raw: RawVariable, where: string): (value: number) => number {
  const { integer } = raw;
  const text = raw.attrs._Unsigned;
  if (text === undefined || !integer) return (value) => value;
  const unsigned = String(text).toLowerCase();
  if (unsigned !== "true" && unsigned !== "false") throw cannot(raw, "_Unsigned", '"true" or "false"', where);
  const all = 2 ** integer.bits;
  if (unsigned === "true") return (value) => (value < 0 && value >= -all / 2 ? value + all : value);
  return (value) => (value >= all / 2 && value < all ? value - all : value);
}

function single(raw: RawVariable, name: string, without: number, where: string): number {
  if (raw.attrs[name] === undefined) return without;
  const values = numbersOf(raw, name, where);
  if (values.length === 1) return values[0];
  throw cannot(raw, name, "one number", where);
}

/** Numbers of an attribute; xarray writes float fill values of Zarr format 3 as base64 of a little-endian double. */
function numbersOf(raw: RawVariable, name: string, where: string): number[] {
  const found = raw.attrs[name];
  if (found === undefined) return [];
  return [found].flat().map((value) => {
    if (typeof value === "number") return value;
    const text = String(value).trim();
    if (/^[+-]?(nan|inf(inity)?)$/i.test(text))
      return /nan/i.test(text) ? Number.NaN : text[0] === "-" ? -Infinity : Infinity;
    const bytes = Buffer.from(text, "base64");
    if (name === "_FillValue" && !raw.integer && bytes.length === 8 && bytes.toString("base64") === text) {
      return bytes.readDoubleLE(0);
    }
    const number = Number(text);
    if (text !== "" && !Number.isNaN(number)) return number;
    throw cannot(raw, name, "a number", where);
  });
}

function cannot(raw: RawVariable, name: string, expected: string, where: string): AtmorepError {
  return new AtmorepError("input", `the attribute ${name} cannot be followed`, {
    where,
    found: raw.attrs[name],
    expected,
    fix: "Correct the attribute in the file, for instance with ncatted or xarray",
  });
}
