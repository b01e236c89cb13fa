/** Faults of a configuration: collected, told all at once. */
import { AtmorepError } from "../errors.js";

export interface Fault {
  /** where in the configuration, such as `fields[0][1][1]` */
  path: string;
  what: string;
  found?: unknown;
  expected: string;
  fix: string;
}

/** One fault as a line of text. */
export function formatFault({ path, what, found, expected, fix }: Fault): string {
  const seen = found === undefined ? "" : `; found ${shorten(found)}`;
  return `${path}: ${what}${seen}; expected ${expected}. ${fix}`;
}

/** @throws AtmorepError `config` naming every fault, if there is one */
export function assertValid(faults: readonly Fault[]): void {
  if (faults.length === 0) return;
  if (faults.length === 1) {
    const { path, what, found, expected, fix } = faults[0];
    throw new AtmorepError("config", what, { where: path, found: abbreviated(found), expected, fix });
  }
  const lines = faults.map((fault) => `  ${formatFault(fault)}`);
  throw new AtmorepError("config", `${faults.length} faults in the configuration\n${lines.join("\n")}`);
}

/** A value in at most about 80 characters. */
export function shorten(value: unknown): string {
  const text = textOf(value);
  return text.length <= 80 ? text : `${text.slice(0, 60)}... (${text.length} characters)`;
}

/** The value itself, or, if its text is longer than a message should be, the start of it. */
export function abbreviated(value: unknown): unknown {
  const text = textOf(value);
  if (typeof value === "number" && !Number.isFinite(value)) return text;
  return text.length <= 400 ? value : shorten(value);
}

function textOf(value: unknown): string {
  // JSON would make null of them
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return "a value that JSON cannot hold";
  }
}
