/** Metadata as JSON objects, whatever the bytes are. */
import { AtmorepError } from "../../errors.js";

export type Json = Record<string, unknown>;

/** Deeper metadata overflow the stack of whoever walks them; what Zarr needs is some ten levels. */
const MAX_DEPTH = 64;

/** @throws AtmorepError (input) if they are no JSON object, or one nested deeper than any metadata */
export function parseMetadata(bytes: Uint8Array, where: string): Json {
  const text = new TextDecoder().decode(bytes);
  if (depthOf(text) > MAX_DEPTH) {
    throw new AtmorepError("input", `metadata nested deeper than ${MAX_DEPTH}`, { where, fix: "The file is damaged" });
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

/** How deep brackets outside of strings stand in each other. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (quoted) {
      if (character === "\\") i += 1;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === "[" || character === "{") deepest = Math.max(deepest, ++depth);
    else if (character === "]" || character === "}") depth -= 1;
  }
  return deepest;
}
