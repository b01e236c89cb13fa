/** Values as Python writes them: `json.dumps` for files, `repr` for the console. */
import type { Kind } from "../kinds.js";

interface Style {
  true: string;
  false: string;
  null: string;
  nan: string;
  infinity: string;
  string: (text: string) => string;
}

const JSON_STYLE: Style = {
  true: "true",
  false: "false",
  null: "null",
  nan: "NaN",
  infinity: "Infinity",
  string: jsonString,
};
const REPR_STYLE: Style = {
  true: "True",
  false: "False",
  null: "None",
  nan: "nan",
  infinity: "inf",
  string: reprString,
};

/** `json.dumps(value)`; `kind` tells which whole numbers are floats (`30.0`), without it they are integers. */
export function pythonJson(value: unknown, kind?: Kind): string {
  return format(value, kind, JSON_STYLE);
}

/** `repr(value)`; `kind` as in `pythonJson`. */
export function pythonRepr(value: unknown, kind?: Kind): string {
  return format(value, kind, REPR_STYLE);
}

function format(value: unknown, kind: Kind | undefined, style: Style): string {
  if (value === null || value === undefined) return style.null;
  if (value === true) return style.true;
  if (value === false) return style.false;
  if (typeof value === "string") return style.string(value);
  if (typeof value === "number") return formatNumber(value, kind, style);
  if (Array.isArray(value)) return `[${value.map((item, i) => format(item, itemKind(kind, i), style)).join(", ")}]`;
  const entries = Object.entries(value).map(([key, item]) => `${style.string(key)}: ${format(item, undefined, style)}`);
  return `{${entries.join(", ")}}`;
}

function itemKind(kind: Kind | undefined, place: number): Kind | undefined {
  if (kind?.kind === "list") return kind.of;
  if (kind?.kind === "tuple") return kind.items[place]?.of;
  if (kind?.kind === "nullable") return itemKind(kind.of, place);
  return undefined;
}

function formatNumber(value: number, kind: Kind | undefined, style: Style): string {
  if (Number.isNaN(value)) return style.nan;
  if (!Number.isFinite(value)) return value < 0 ? `-${style.infinity}` : style.infinity;
  const inner = kind?.kind === "nullable" ? kind.of : kind;
  if (Number.isInteger(value) && !(inner?.kind === "real" && !inner.whole)) return wholeNumber(value);
  return pythonFloat(value);
}

function wholeNumber(value: number): string {
  return Number.isSafeInteger(value) ? String(value) : pythonFloat(value);
}

/** `repr(float)`: the shortest digits that give the number back, with an exponent below 1e-4 and from 1e16 on. */
export function pythonFloat(value: number): string {
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  const [mantissa, exponentText] = Math.abs(value).toExponential().split("e");
  const sign = value < 0 ? "-" : "";
  const digits = mantissa.replace(".", "");
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= 16) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : "";
    const power = String(Math.abs(exponent)).padStart(2, "0");
    return `${sign}${digits[0]}${fraction}e${exponent < 0 ? "-" : "+"}${power}`;
  }
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, "0");
  return `${sign}${whole}.${digits.slice(exponent + 1) || "0"}`;
}

/** `json.dumps` escapes everything outside ASCII. */
function jsonString(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\uffff]/g, (character) => {
    const code = character.charCodeAt(0);
    return code === 0x7f ? character : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

function reprString(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const body = text
    .replaceAll("\\", "\\\\")
    .replaceAll(quote, `\\${quote}`)
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r")
    .replaceAll("\t", "\\t");
  return `${quote}${body}${quote}`;
}
