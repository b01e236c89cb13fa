// Memory and time of an evaluation by its number of samples, each in a process of its own, and what an interval costs
// for many initial times. Usage: npm run build && node bench/evaluate.mjs [samples...]; default 10 200.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { resolveConfig } from "../dist/config/resolve.js";

const child = (args) => JSON.parse(execFileSync(process.execPath, [fileURLToPath(import.meta.url), ...args]));
const mebibytes = () => Math.round(process.resourceUsage().maxRSS / 1024);

async function evaluation(out, samples) {
  const { evaluate } = await import("../dist/evaluation/evaluate.js");
  const start = performance.now();
  // one sample a batch; the streams of a sample are those of the storm preset, result stores included
  const set = [`num_samples_validate=${samples}`, `samples_per_time=${samples}`, "batch_size_validation=1"];
  const result = await evaluate({ run: "benchrun", out, engine: "wasm", set });
  const seconds = Number(((performance.now() - start) / 1000).toFixed(1));
  return { samples: result.samples, seconds, peakMebibytes: mebibytes() };
}

async function interval(length) {
  const { scoreInterval } = await import("../dist/scores/index.js");
  const sums = Array.from({ length }, (_, t) => Float64Array.from({ length: 40 }, (_, k) => 1 + ((t * 7 + k) % 13)));
  const times = sums.map((_, t) => t);
  const start = performance.now();
  const { blockLength } = scoreInterval({ times, sums }, (all) => all[1] / all[0], { span: 12 });
  return { times: length, blockLength, milliseconds: Math.round(performance.now() - start) };
}

const [kind, ...rest] = process.argv.slice(2);
if (kind === "evaluation" || kind === "interval") {
  const told = kind === "evaluation" ? await evaluation(rest[0], Number(rest[1])) : await interval(Number(rest[0]));
  console.log(JSON.stringify(told));
  process.exit(0);
}
const out = mkdtempSync(join(tmpdir(), "atmorep-evaluate-"));
try {
  const { train } = await import("../dist/training/train.js");
  const { config } = resolveConfig({ preset: "storm", set: { num_epochs: 1, log_test_num_ranks: 0 } });
  for await (const _ of train(config, { out, runId: "benchrun", maxSteps: 1, engine: "wasm" }));
  const counts = kind === undefined ? [10, 200] : process.argv.slice(2).map(Number);
  console.log(JSON.stringify({ evaluations: counts.map((n) => child(["evaluation", out, String(n)])) }));
  console.log(JSON.stringify({ intervals: [100, 1000, 10_000].map((n) => child(["interval", String(n)])) }));
} finally {
  rmSync(out, { recursive: true, force: true });
}
