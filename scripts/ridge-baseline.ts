/**
 * Ridge regression on 5 x 5 neighbouring points and the visible times, beside the simple baselines, for a store.
 *
 *   node scripts/run.mjs scripts/ridge-baseline.ts [store] [--json file]
 *
 * Run it from the checkout's root. `store` is the storm sample unless given: fitted on steps 0-43, scored on steps 48-63,
 * 44-47 left out. Another store is parted likewise, at 11/16 and 3/4 of its steps. The penalty is chosen by
 * cross-validation within the training steps. `--json` writes the rows to a file too.
 */
import { writeFileSync } from "node:fs";
import type { Store } from "../src/data/index.js";
import { levelSource, monthlyNormalization, openStore, readValues, wholeWindow } from "../src/data/index.js";
import { formatScore, type RidgeScores, ridgeBaseline } from "../src/scores/index.js";

interface Row extends RidgeScores {
  field: string;
  level: number;
  strategy: "temporal_interpolation" | "forecast";
  /** physical units of one standard deviation */
  std: number;
}

async function rowsOf(store: Store, field: string, level: number): Promise<Row[]> {
  const source = levelSource(store, field, level);
  const { values, shape } = await readValues(store, source, wholeWindow(store));
  const month = store.calendar.month[0];
  const { mean, std } = await monthlyNormalization(store, field, source, "global", [month]);
  const [m, s] = [mean.get(month)![0], std.get(month)![0]];
  const series = { values: values.map((x) => (x - m) / s), shape, filledSteps: [...(source.filled ?? [])] };
  const T = shape[0];
  const train = [0, Math.floor((T * 11) / 16)] as const;
  const validate = [Math.floor((T * 3) / 4), T] as const;
  return (["temporal_interpolation", "forecast"] as const).flatMap((strategy) =>
    ridgeBaseline(series, { strategy, train, validate }).map((row) => ({ field, level, strategy, std: s, ...row })),
  );
}

function print(rows: Row[]): void {
  const names = ["climatology", "persistence", "dampedPersistence", "linear", "ridge"] as const;
  const cell = (row: Row, name: (typeof names)[number]) => {
    const value = row[name];
    return (value === null ? "-" : `${value.toFixed(2)} (${formatScore(value * row.std)})`).padStart(18);
  };
  console.log("RMSE in standard deviations, in brackets in the store's units; lead in time steps\n");
  console.log(
    `${"field".padEnd(28)}${"strategy".padEnd(24)}lead  points${names.map((n) => n.padStart(18)).join("")}  lambda`,
  );
  for (const row of rows) {
    const field = row.level === 0 ? row.field : `${row.field} ${row.level}`;
    const head = `${field.padEnd(28)}${row.strategy.padEnd(24)}${String(row.lead).padStart(4)}${String(row.points).padStart(8)}`;
    console.log(`${head}${names.map((name) => cell(row, name)).join("")}${String(row.lambda).padStart(8)}`);
  }
}

const args = process.argv.slice(2);
const json = args.includes("--json") ? args.splice(args.indexOf("--json"), 2)[1] : undefined;
const store = await openStore(args[0] ?? "assets/storm_199601.zarr");
const rows: Row[] = [];
for (const level of store.levels) for (const field of store.fields) rows.push(...(await rowsOf(store, field, level)));
for (const field of store.fieldsSfc) rows.push(...(await rowsOf(store, field, 0)));
await store.close();
print(rows);
if (json) writeFileSync(json, `${JSON.stringify(rows, null, 2)}\n`);
