/** Metadata as JSON objects, whatever the bytes are. */
import { jsonFault } from "../../budgets.js";
import { AtmorepError } from "../../errors.js";

export type Json = Record<string, unknown>;

/** @throws AtmorepError (input) if they are no JSON object, or one that is beyond the budget or has a key twice */
export function parseMetadata(bytes: Uint8Array, where: string): Json {
  const text = new TextDecoder().decode(bytes);
  const fault = jsonFault(text);
  if (fault !== null) {
    throw new AtmorepError("input", `metadata are damaged: ${fault}`, { where, fix: "Copy or write the store again" });
  }
  let value: unknown;
  try {
    // NaN and Infinity are written bare by some writers of format 2.
    value = JSON.parse(text.replace(/(:\s*)(-?Infinity|NaN)(?=\s*[,}\]])/g, '$1"$2"'));
  } catch (cause) {
    throw new AtmorepError("input", "metadata are not JSON", { where, cause, fix: "The file is damaged" });
  }
  const object = asObject(value);
  if (!object) throw new AtmorepError("input", "metadata are not a JSON object", { where });
  return object;
}

export function asObject(value: unknown): Json | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}
