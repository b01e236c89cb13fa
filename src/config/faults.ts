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
    throw new AtmorepError("config", what, { where: path, found, expected, fix });
  }
  const lines = faults.map((fault) => `  ${formatFault(fault)}`);
  throw new AtmorepError("config", `${faults.length} faults in the configuration\n${lines.join("\n")}`);
}

/** A value in at most about 80 characters. */
export function shorten(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 80 ? text : `${text.slice(0, 60)}... (${text.length} characters)`;
}
