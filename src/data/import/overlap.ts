/** Times that several files, or one file twice, have of the same field and level. */
import { AtmorepError } from "../../errors.js";

/** Which of several values is taken; null: they must be equal. */
export type Combine = "first" | "last" | null;

/** @throws AtmorepError (input) where two planes of one field, level and time differ; missing values count as values */
export function requireEqual(
  a: Float64Array,
  b: Float64Array,
  { what, when, files }: { what: string; when: string; files: [string, string] },
): void {
  const off = a.findIndex((value, i) => value !== b[i] && !(Number.isNaN(value) && Number.isNaN(b[i])));
  if (off < 0) return;
  throw new AtmorepError("input", `${what} is given twice for ${when}, with other values`, {
    where: files[1],
    found: `${b[off]} where ${files[0] === files[1] ? "another step of the file" : files[0]} has ${a[off]} (point ${off})`,
    expected: "each field, level and time once, or equal values",
    fix: "--combine first takes the values of the file named first, --combine last those of the last; --dates cuts overlaps off",
  });
}
