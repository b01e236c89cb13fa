/** Text that comes from files, configurations and people, made safe to show. */

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Escapes the characters that HTML gives a meaning. */
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character]);

/** Escapes for plotly.js, which reads tags and some entities in its labels, but would show the entities of quotes. */
export const escapePlotly = (text: string): string => text.replace(/[&<>]/g, (character) => ENTITIES[character]);

/** A number as people read it: four significant digits, no exponent for everyday sizes. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(2).replace(/\.?0+e/, "e");
  return String(Number(value.toPrecision(4)));
}

/** Field names as a title: `mean_sea_level_pressure` becomes `mean sea level pressure`. */
export const fieldTitle = (field: string): string => field.replaceAll("_", " ");

/** The most levels of a model whose levels are numbered, ECMWF's; what is above is a pressure. */
const MODEL_LEVELS = 137;

/** `level 105` of a model, `500 hPa`, or `surface` for level 0. A pressure of 137 hPa or less cannot be told from a number. */
export function levelTitle(level: number): string {
  if (level === 0) return "surface";
  return level > MODEL_LEVELS ? `${level} hPa` : `level ${level}`;
}
