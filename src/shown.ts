/**
 * Text of others (names in files, answers of servers) as messages show it: bounded, and with control characters written
 * out, so that a terminal shows them and does not obey them.
 */

/** Of one value in a message. */
const VALUE_CHARACTERS = 2000;
/** Of one message; lists of faults are long. */
const MESSAGE_CHARACTERS = 100_000;
/** What a value may nest before the rest of it is left out. */
const DEPTH = 16;
/** Entries of lists and objects that can be seen in so few characters. */
const ENTRIES = VALUE_CHARACTERS;

/** Control characters but tab and line feed, and those that turn the direction of writing. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const OBEYED = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;

const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** The text with what a terminal would obey written as `\u001b`; line feeds and tabs stay. */
export const shown = (text: string): string => text.replace(OBEYED, escaped);

/** At most so many characters of the text, with their whole number if there are more. */
export const cut = (text: string, most = VALUE_CHARACTERS): string =>
  text.length > most ? `${text.slice(0, most)}... (${text.length} characters)` : text;

/** A message, bounded. */
export const shownMessage = (text: string): string => shown(cut(text, MESSAGE_CHARACTERS));

/** One value as a message shows it: text as it is, all else as JSON; whatever its size and depth, quickly. */
export function brief(value: unknown): string {
  if (typeof value === "string") return cut(value);
  return cut(JSON.stringify(pruned(value)) ?? String(value));
}

/** A copy that can be written as JSON: what lies deeper than any message shows, or behind what it shows, is left out. */
export function pruned(value: unknown): unknown {
  let left = ENTRIES;
  const copy = (of: unknown, depth: number): unknown => {
    if (typeof of === "string") return cut(of);
    if (typeof of === "bigint") return String(of);
    if (typeof of !== "object" || of === null || typeof (of as { toJSON?: unknown }).toJSON === "function") return of;
    if (depth > DEPTH) return "...";
    if (Array.isArray(of)) return of.slice(0, Math.max(0, left)).map((item) => next(item, depth));
    const entries: [string, unknown][] = [];
    for (const key in of) {
      if (left <= 0) break;
      if (Object.hasOwn(of, key)) entries.push([cut(key), next((of as Record<string, unknown>)[key], depth)]);
    }
    return Object.fromEntries(entries);
  };
  const next = (item: unknown, depth: number) => {
    left--;
    return left < 0 ? "..." : copy(item, depth + 1);
  };
  return copy(value, 0);
}

/** One JSON document; what JSON leaves raw and a terminal obeys stands escaped in it, which means the same. */
export const shownJson = (value: unknown, space?: number): string => shown(JSON.stringify(value, null, space));
