/** Faults of a configuration: collected, told all at once. */
import { AtmorepError } from "../errors.js";

/** Every kind of fault: programs tell them apart by these names, not by the text. */
export const FAULT_CODES = {
  malformed: "the value is of another type, or not written as it should be",
  "out-of-range": "the number is too small or too large",
  "wrong-length": "the list has too few or too many entries",
  "unknown-name": "no such name is known",
  "not-available": "the key has one value only",
  repeated: "a value or a field stands twice",
  "self-coupled": "a field is coupled to itself",
  "surface-with-levels": "the surface stands beside model levels",
  "tokens-miss-cube": "the tokens do not fill the cube, or the fields' windows differ",
  "nothing-hidden": "no predicted field is ever hidden",
  "no-loss": "every weight is 0",
  "weights-miss-losses": "the weights are not as many as the losses",
  "too-few-members": "a loss needs more ensemble members",
  "width-unfit": "a width does not hold the token info, or is odd",
  "heads-unfit": "the heads do not divide the width",
  "no-encoder-layer": "a decoder layer would look at an encoder layer that is not there",
  "tokens-unpaired": "tokens of coupled fields are in no whole ratio",
  "batch-exceeds-epoch": "an epoch would hold no batch",
  "rank-unfit": "the number of the process is not below their number",
  "all-hidden": "the strategy leaves no token to see",
  "no-such-token": "the strategy hides a token that is not there",
  "bad-time": "not a time",
  "time-missing": "a time or period that is needed is not given",
  reversed: "an end stands before its start",
  "too-wide": "the range is wider than the globe",
  "validation-overlaps-training": "validation and training have times in common",
  "test-overlaps": "the test has times in common with training or validation",
  "store-missing": "no store is named",
  "not-in-store": "the store lacks a field, level or normalisation",
  "window-off-grid": "the window is no whole number of the store's grid points",
  "window-exceeds-store": "the window or cube is larger than the store",
  "nothing-to-draw": "no window or no cube lies in the ranges",
  "store-unfit": "the store cannot be drawn from",
  "too-large": "the network or a batch would need more memory than any computer has",
  "more-faults": "further faults of the same list, counted, not told",
} as const satisfies Record<string, string>;

export type FaultCode = keyof typeof FAULT_CODES;

export interface Fault {
  code: FaultCode;
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
