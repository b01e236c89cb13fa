/**
 * Part i of N: how work that is cut into units in a fixed order is dealt to jobs that cannot talk to each other. Each unit
 * is owned by exactly one part, and what a unit gives does not depend on who works it.
 */
import { AtmorepError } from "./errors.js";

export interface Part {
  /** from 1 to `of` */
  number: number;
  of: number;
}

/** All of it. */
export const WHOLE: Part = { number: 1, of: 1 };

const MOST_PARTS = 10_000;

/** @param text `2/4`. @throws AtmorepError (usage) if it is no part */
export function parsePart(text: string): Part {
  const match = /^(\d+)\/(\d+)$/.exec(text);
  const [number, of] = match ? [Number(match[1]), Number(match[2])] : [0, 0];
  if (number >= 1 && number <= of && of <= MOST_PARTS) return { number, of };
  throw new AtmorepError("usage", "not a part", {
    where: "--part",
    found: text,
    expected: `i/N, with i from 1 to N and at most ${MOST_PARTS} parts, such as 2/4`,
  });
}

/** The units of a part: from the first up to, not including, the second. Neighbours stay together. */
export function rangeOf({ number, of }: Part, units: number): [from: number, to: number] {
  return [Math.floor(((number - 1) * units) / of), Math.floor((number * units) / of)];
}

/** The part that owns a unit. */
export function ownerOf(unit: number, units: number, of: number): number {
  const number = Math.floor(((unit + 1) * of - 1) / units) + 1;
  return number;
}
