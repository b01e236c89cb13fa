/** Parsers of the options that the data commands share. */
import { InvalidArgumentError } from "commander";

export const list = (text: string): string[] =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

export const numbers = (text: string): number[] => list(text).map(number);

export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("not a number");
  return value;
}

/** What the two ends of `--dates` mean. */
export const BOTH_INCLUSIVE = "both inclusive, a bare date at the end being its last hour";

export function dates(text: string): [string, string] {
  const parts = text.split("..");
  if (parts.length !== 2) throw new InvalidArgumentError('expected two ISO times, such as "1996-01-05..1996-01-15"');
  return [parts[0], parts[1]];
}
