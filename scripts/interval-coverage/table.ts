/**
 * Do intervals of scores hold? Prints what `simulate.ts` counts, case by case, and exits 1 if one does not.
 *
 *   node scripts/run.mjs scripts/interval-coverage/table.ts --histories 2000
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { faultOf } from "./judge.js";
import { type Coverage, coverageOf, LENGTHS, PROCESSES, type Process } from "./simulate.js";

const { values: args } = parseArgs({
  options: {
    histories: { type: "string", default: "2000" },
    seed: { type: "string", default: "1" },
    json: { type: "string" },
  },
});

const percent = (share: number) => (Number.isNaN(share) ? "-" : (100 * share).toFixed(1)).padStart(9);
const rows: (Coverage & { fault: string | null })[] = [];
console.log(
  `${"errors".padEnd(13)}${"times".padStart(5)}  ${"question".padEnd(18)} answered  covered   misled    found   oracle   blocks`,
);
for (const process of Object.keys(PROCESSES) as Process[]) {
  for (const length of LENGTHS) {
    for (const row of coverageOf(process, length, Number(args.histories), Number(args.seed))) {
      const fault = faultOf(row);
      rows.push({ ...row, fault });
      const { question, answered, covered, misled, found, oracle, blocks } = row;
      const paired = question === "equal forecasts" || question === "a better forecast";
      const shares = [answered, covered, misled, ...(paired ? [found, oracle] : [Number.NaN, Number.NaN])];
      console.log(
        `${process.padEnd(13)}${String(length).padStart(5)}  ${question.padEnd(18)}${shares.map(percent).join("")}` +
          `${blocks.toFixed(1).padStart(9)}${fault ? `  ${fault}` : ""}`,
      );
    }
  }
}
const faults = rows.filter(({ fault }) => fault !== null).length;
console.log(`${rows.length} cases of ${args.histories} histories, ${faults} where the interval does not hold`);
if (args.json) writeFileSync(args.json, `${JSON.stringify(rows, null, 1)}\n`);
if (faults > 0) globalThis.process.exitCode = 1;
