/** The last cell of a tutorial: numbers that everyone who runs it should find. */
import { AtmorepError } from "../errors.js";
import { displayed, type Shown } from "./figure/display.js";
import { type Table, tableHtml, tableText } from "./figure/table.js";

/**
 * What was found and what is expected. The tolerance (default 0) is relative to the expected number, or absolute where
 * 0 is expected.
 */
export type Expectation = readonly [found: number, expected: number, tolerance?: number];

/** Media type of the numbers in the output, by name: what `scripts/notebooks.mjs` reads. */
export const EXPECT_TYPE = "application/vnd.atmorep.expect+json";

/**
 * Compares named numbers with the expected ones and shows them side by side.
 * @throws AtmorepError (failed) that names every number outside its tolerance; (usage) without any number
 * @example expect({ steps: [run.finished.step, 600], "RMSE of the model (m/s)": [rmse, 14.03, 0.02] });
 */
export function expect(numbers: Readonly<Record<string, Expectation>>): Shown<Table> {
  const entries = Object.entries(numbers);
  if (entries.length === 0) throw new AtmorepError("usage", "nothing to compare", { where: "expect" });
  const wrong = entries.filter(([, numbers]) => !holds(numbers));
  if (wrong.length > 0) {
    throw new AtmorepError("failed", "numbers differ from the expected ones", {
      where: "expect",
      found: wrong.map(([name, [found]]) => `${name}: ${found}`).join("; "),
      expected: wrong.map(([name, own]) => `${name}: ${own[1]} ${toleranceText(own)}`).join("; "),
      fix: "If a cell above was changed, that is why. Otherwise an installed version or the program differs.",
    });
  }
  const table: Table = {
    title: "Expected numbers",
    columns: ["number", "found", "expected", "tolerance"],
    rows: entries.map(([name, own]) => [name, String(own[0]), String(own[1]), toleranceText(own)]),
    caption: "All within their tolerances.",
  };
  const byName = Object.fromEntries(
    entries.map(([name, [found, expected, tolerance = 0]]) => [name, { found, expected, tolerance }]),
  );
  return displayed(table, async () => ({
    "text/html": tableHtml(table),
    "text/plain": tableText(table),
    [EXPECT_TYPE]: byName,
  }));
}

function holds([found, expected, tolerance = 0]: Expectation): boolean {
  const scale = expected === 0 ? 1 : Math.abs(expected);
  return Number.isFinite(found) && Math.abs(found - expected) <= tolerance * scale;
}

function toleranceText([, expected, tolerance = 0]: Expectation): string {
  if (tolerance === 0) return "exactly";
  if (expected === 0) return `± ${tolerance}`;
  return `± ${Number((100 * tolerance).toPrecision(6))} %`;
}
