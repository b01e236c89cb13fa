// How the train step grows: tokens, batch, fields and width doubled, beside the operations of its matrix products.
//
//   npm run build && node bench/growth.mjs CONFIG [--engine native|wasm] [--steps 6] [--rounds 2]
//
// Each row runs bench/step.mjs in a process of its own, all rows in turn, `--rounds` times; prints a table of medians.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    engine: { type: "string", default: "native" },
    steps: { type: "string", default: "6" },
    rounds: { type: "string", default: "2" },
  },
});
const config = JSON.parse(readFileSync(positionals[0], "utf8"));
const program = fileURLToPath(new URL("./step.mjs", import.meta.url));
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

const [[name, [dynamic, width, ...rest], levels, [nt, ...space], token, rates]] = config.fields;
const field = (name, width, nt) => [name, [dynamic, width, ...rest], levels, [nt, ...space], token, rates];
const shape = (nt) => ({ fields: [field(name, width, nt)], n_size: [nt * token[0], ...config.n_size.slice(1)] });
const predictions = config.fields_prediction;
const rows = {
  "as it is": {},
  "twice the tokens": shape(2 * nt),
  "four times the tokens": shape(4 * nt),
  "twice the batch": { batch_size: 2 * config.batch_size },
  "four times the batch": { batch_size: 4 * config.batch_size },
  "two fields": {
    fields: [field(name, width, nt), field("velocity_v", width, nt)],
    fields_prediction: [...predictions, ["velocity_v", 1]],
  },
  "half the width": { fields: [field(name, width / 2, nt)] },
  "twice the width": { fields: [field(name, 2 * width, nt)] },
};

const found = Object.fromEntries(Object.keys(rows).map((row) => [row, []]));
for (let round = 0; round < Number(options.rounds); round++) {
  for (const [row, changes] of Object.entries(rows)) {
    const sets = Object.entries(changes).flatMap(([key, value]) => ["--set", `${key}=${JSON.stringify(value)}`]);
    const flags = [positionals[0], "--engine", options.engine, "--steps", options.steps, ...sets];
    const out = execFileSync(process.execPath, [program, ...flags], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    found[row].push(JSON.parse(out.trim().split("\n").at(-1)));
  }
}
const base = found["as it is"][0];
console.log("| configuration | GFLOP | s | GFLOP/s | time to the first row's | operations to the first row's | MiB |");
console.log("| --- | --- | --- | --- | --- | --- | --- |");
const start = median(found["as it is"].map(({ median_s }) => median_s));
for (const [row, runs] of Object.entries(found)) {
  const seconds = median(runs.map(({ median_s }) => median_s));
  const { gflop } = runs[0];
  const memory = Math.max(...runs.map(({ peak_rss_mib }) => peak_rss_mib));
  const cells = [gflop.toFixed(1), seconds.toFixed(3), (gflop / seconds).toFixed(0)];
  const growth = [(seconds / start).toFixed(2), (gflop / base.gflop).toFixed(2)];
  console.log(`| ${[row, ...cells, ...growth, memory.toFixed(0)].join(" | ")} |`);
}
