/**
 * One configuration on every engine and in the original: how far do the losses of their steps lie apart?
 *
 *   ATMOREP_SRC=<checkout of the original> PYTHON=<a Python with torch and zarr 2> ATMOREP_TENSORFLOW=<library> \
 *   node scripts/run.mjs scripts/same-learning/engines.ts \
 *     CONFIG STORE [--steps 200] [--folder FOLDER] [--side compiled --side eager --side wasm --side original] [--minutes M]
 *
 * Dropout is off; losses, network, batch size and learning rates are those of CONFIG, over four epochs. In a FOLDER that
 * is kept, sides that are done are not computed again, and `--minutes` ends a side early: the next call goes on
 * with it, so that the whole can be done in pieces. The exit status is 1 if a loss differs by more than 1e-4 of itself.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { resolveConfig } from "../../src/config/resolve.js";
import type { RunConfig } from "../../src/config/types.js";
import { runFolder } from "../../src/runs/folder.js";
import { largestDifference, TOLERANCE } from "./losses.js";
import { originalLosses } from "./original.js";
import { ourLosses, type StepLosses, writeMaterial } from "./ours.js";

const EPOCHS = 4;
const OURS = { compiled: "native", eager: "native", wasm: "wasm" } as const;

const { values: args, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    steps: { type: "string", default: "200" },
    folder: { type: "string" },
    side: { type: "string", multiple: true, default: [...Object.keys(OURS), "original"] },
    minutes: { type: "string" },
  },
});
const steps = Number(args.steps);
const folder = args.folder ?? mkdtempSync(join(tmpdir(), "atmorep-engines-"));
try {
  mkdirSync(folder, { recursive: true });
  await compareSides(configOf(positionals[0], positionals[1]));
} finally {
  if (!args.folder) rmSync(folder, { recursive: true, force: true });
}

function configOf(file: string, store: string): RunConfig {
  const { batch_size, years_train } = JSON.parse(readFileSync(file, "utf8"));
  return resolveConfig({
    file,
    data: store,
    set: [
      "dropout_rate=0",
      "ema_decay=null",
      `years_val=${JSON.stringify(years_train)}`,
      `num_epochs=${EPOCHS}`,
      `num_samples_per_epoch=${Math.ceil(steps / EPOCHS) * batch_size}`,
      "num_samples_validate=2",
      "log_test_num_ranks=0",
    ],
  }).config;
}

async function compareSides(config: RunConfig): Promise<void> {
  const curves: [side: string, losses: StepLosses[]][] = [];
  for (const side of args.side) {
    const losses = await lossesOf(side, config);
    console.log(`${side}: ${losses.length} of ${steps} steps, loss ${losses[0]?.total} to ${losses.at(-1)?.total}`);
    if (losses.length === steps) curves.push([side, losses]);
  }
  for (const [i, [name, own]] of curves.entries()) {
    for (const [other, theirs] of curves.slice(i + 1)) {
      const { relative, step, what } = largestDifference(own, theirs);
      console.log(`${name} and ${other}: at most ${relative.toExponential(1)} (${what}, step ${step})`);
      if (!(relative <= TOLERANCE)) process.exitCode = 1;
    }
  }
  if (curves.length < args.side.length) process.exitCode = 1;
}

/** Losses of one side as far as they are known, computed where they are not. */
async function lossesOf(side: string, config: RunConfig): Promise<StepLosses[]> {
  const file = join(folder, `${side}.json`);
  const known: StepLosses[] = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : [];
  if (known.length >= steps) return known;
  const losses = side === "original" ? await original(config) : [...known, ...(await ours(side, config))];
  writeFileSync(file, JSON.stringify(losses));
  return losses;
}

async function original(config: RunConfig): Promise<StepLosses[]> {
  const material = join(folder, "material");
  if (!existsSync(join(material, "whole"))) {
    rmSync(material, { recursive: true, force: true });
    await writeMaterial(config, material, steps);
    writeFileSync(join(material, "whole"), "");
  }
  return originalLosses(material, false);
}

async function ours(side: string, config: RunConfig): Promise<StepLosses[]> {
  if (!(side in OURS)) throw new Error(`no side ${side}: ${Object.keys(OURS).join(", ")}, original`);
  const [below, id] = [join(folder, side), "learning"];
  const begun = existsSync(runFolder(join(below, "ours"), id).metrics);
  process.env.ATMOREP_COMPILE = side === "eager" ? "0" : "1";
  return ourLosses(config, below, steps, {
    engine: OURS[side as keyof typeof OURS],
    ...(args.minutes && { maxTime: Number(args.minutes) * 60_000 }),
    ...(begun && { continue: id, inPlace: true }),
  });
}
