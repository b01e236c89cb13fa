/**
 * The same weights, the same batches: do this program and the original learn the same?
 *
 *   ATMOREP_SRC=<checkout of the original> PYTHON=<a Python with torch and zarr 2> \
 *   node scripts/run.mjs scripts/same-learning/compare.ts \
 *     [--steps 200] [--rate 2e-4] [--run "single field"] [--record FILE.json] [--svg FILE.svg]
 *
 * Run it from the checkout's root. Ours runs on WASM. Both start from the same weights, drawn here, and take the same
 * batches, masked here and written as safetensors. `--record` keeps the original's losses for the tests, `--svg` draws both
 * curves. The exit status is 1 if a loss differs by more than 1e-4 of itself.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { configuration, LEARNING_RATE, plainStore, RUNS, type RunName, STEPS, TEST_STEPS } from "./configurations.js";
import { type Curves, curvesFigure } from "./figure.js";
import { largestDifference, type Recorded, TOLERANCE } from "./losses.js";
import { originalLosses } from "./original.js";
import { ourLosses, writeMaterial } from "./ours.js";

/** Ours, the original's, and the original's from weights of which one is moved by a rounding step. */
async function compareRun(run: RunName, rate: number, steps: number, below: string) {
  const folder = join(below, RUNS[run]);
  mkdirSync(folder);
  const config = configuration(run, plainStore(folder), rate);
  const sha256 = await writeMaterial(config, folder, steps);
  const short = steps > TEST_STEPS ? await writeMaterial(config, join(folder, "short"), TEST_STEPS) : sha256;
  const ours = await ourLosses(config, folder, steps);
  const [original, moved] = [false, true].map((move) => originalLosses(folder, move));
  return { sha256: { [steps]: sha256, [Math.min(steps, TEST_STEPS)]: short }, ours, original, moved };
}

const { values: args } = parseArgs({
  options: {
    steps: { type: "string", default: `${STEPS}` },
    rate: { type: "string", default: `${LEARNING_RATE}` },
    run: { type: "string" },
    record: { type: "string" },
    svg: { type: "string" },
  },
});
const names = (Object.keys(RUNS) as RunName[]).filter((name) => args.run === undefined || args.run === name);
const below = mkdtempSync(join(tmpdir(), "atmorep-learning-"));
const curves: Curves[] = [];
const recorded: Record<string, Recorded> = {};
let passed = 0;
try {
  for (const run of names) {
    const { sha256, ours, original, moved } = await compareRun(run, Number(args.rate), Number(args.steps), below);
    const own = largestDifference(ours, original);
    const rounding = largestDifference(moved, original);
    if (own.relative <= TOLERANCE) passed++;
    console.log(
      `${run}: ${ours.length} steps, loss ${ours[0].total.toFixed(5)} to ${ours.at(-1)?.total.toFixed(5)}\n` +
        `  ours and the original: at most ${own.relative.toExponential(1)} (${own.what}, step ${own.step})\n` +
        `  the original and itself, one weight moved by a rounding step: at most ${rounding.relative.toExponential(1)}`,
    );
    curves.push({ run, ours, original });
    recorded[run] = { sha256, original };
  }
} finally {
  rmSync(below, { recursive: true, force: true });
}
if (args.record) writeFileSync(args.record, `${JSON.stringify(recorded)}\n`);
if (args.svg) writeFileSync(args.svg, await curvesFigure(curves));
console.log(`${passed} passed, ${names.length - passed} failed`);
process.exitCode = passed === names.length ? 0 : 1;
