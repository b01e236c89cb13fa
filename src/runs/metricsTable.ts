/** The logged series of a run as a table. */
import type { ColumnTable } from "arquero";
import { type RunReference, runPlace } from "./locate.js";

/**
 * The rows of a run's `metrics.jsonl` as an arquero table: `epoch`, `step`, `samples`, `time` and every logged series,
 * null where a row does not have it.
 * @throws AtmorepError (usage) if there is no such run
 * @example (await metrics("ab12cd34")).filter((row) => row.step > 100).objects();
 */
export async function metrics(run: RunReference, out?: string): Promise<ColumnTable> {
  const place = runPlace(run, out);
  const [{ readRun }, { from }] = await Promise.all([import("./list.js"), import("arquero")]);
  const { metrics: rows } = await readRun(place.out, place.id);
  // Training and validation rows have different series, and arquero takes the columns of the first row.
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return from(rows.map((row) => Object.fromEntries(names.map((name) => [name, row[name] ?? null]))));
}
