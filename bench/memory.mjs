// Memory of a run: resident set at chosen steps, and the ratio of the last to step 100 (1.1 at most is flat).
// Usage: npm run build && node bench/memory.mjs [config.json|storm] [steps]; exit 1 if the ratio is above 1.1.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { resolveConfig } from "../dist/config/resolve.js";
import { train } from "../dist/training/train.js";

const [path = "storm", steps = "500"] = process.argv.slice(2);
const maxSteps = Number(steps);
const { config, folder } = path.endsWith(".json") ? resolveConfig({ file: path }) : resolveConfig({ preset: path });
const out = mkdtempSync(join(tmpdir(), "atmorep-memory-"));
const rss = [];
try {
  for await (const event of train(config, { out, maxSteps, folder: folder ?? dirname(path) })) {
    if (event.type === "step") rss.push(event.rss / 2 ** 20);
  }
} finally {
  rmSync(out, { recursive: true, force: true });
}
// one step's figure depends on when memory was last collected: the middle of those around it does not
const around = (step) => {
  const near = rss.slice(Math.max(0, step - 10), step).sort((a, b) => a - b);
  return near[near.length >> 1];
};
const marks = [1, 50, 100, 200, 300, 400, 500, 1000].filter((step) => step < rss.length);
const table = [...marks, rss.length].map((step) => ({ step, mebibytes: Math.round(around(step)) }));
const ratio = around(rss.length) / around(100);
console.log(JSON.stringify({ config: path, steps: rss.length, table, ratio: Number(ratio.toFixed(3)) }));
process.exitCode = ratio <= 1.1 ? 0 : 1;
