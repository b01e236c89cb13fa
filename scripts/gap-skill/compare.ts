/**
 * Does a network fill a gap better than simple methods? Trains on one part of a store and scores on the other:
 *
 *   t2m     ERA5 2 m temperature over the United Kingdom, March 2019, 12 hours hidden; both halves of the month in turn
 *           train and are scored
 *   storm   the default run: the preset on the shipped sample, 18 hours hidden
 *   waves   the synthetic store that `atmorep data sample` makes, 18 hours hidden; says nothing about weather
 *
 *   node scripts/run.mjs scripts/gap-skill/compare.ts t2m|waves|storm [--raw FILE.grib] [--seed 1] [--engine auto]
 *     [--set KEY=VALUE]... [--require] [--json FILE]
 *
 * Run it from the checkout's root. `--raw` names the GRIB file of t2m; `--set` changes the configuration, as it does for
 * `atmorep train`. The baselines are those of `atmorep evaluate` and `ridge_5x5` (nearestRidge.ts). Root mean square errors
 * in physical units and the differences from the model, with 95 % intervals over independent blocks of initial times of
 * all folds together; beside them, for t2m, intervals over blocks of two days, whatever the memory of the errors.
 * `--require` exits 1 unless the model beats the opponents of the case.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import * as tf from "@tensorflow/tfjs-core";
import { readyBatches } from "../../src/batches/ready.js";
import { parseFields, predictedFields } from "../../src/config/fields.js";
import { resolveConfig } from "../../src/config/resolve.js";
import type { RunConfig } from "../../src/config/types.js";
import { usualStep } from "../../src/data/gaps.js";
import { importStore } from "../../src/data/import/index.js";
import { drawEpoch, openStore } from "../../src/data/index.js";
import { normalizeStore } from "../../src/data/normalization/normalize.js";
import { HOUR_NS } from "../../src/data/time.js";
import { displayUnit } from "../../src/data/units.js";
import { makeWaves } from "../../src/data/waves.js";
import { type EngineName, openEngine } from "../../src/engine/index.js";
import { createMaskStreams } from "../../src/masking/index.js";
import { toTensors } from "../../src/model/index.js";
import { fitBaselines } from "../../src/prediction/baselines.js";
import { predictReady } from "../../src/prediction/pass.js";
import { scoreBatch } from "../../src/prediction/scoreBatch.js";
import { storeNormalization } from "../../src/results/storeNormalization.js";
import { readInitialWeights } from "../../src/runs/weightFiles.js";
import { usableBaselines } from "../../src/scores/baselines/registry.js";
import { ridgePredictions } from "../../src/scores/baselines/ridgeMaps.js";
import {
  ensembleQuantity,
  formatScore,
  type PairedTest,
  pairedTest,
  quantityScores,
  type ScoreAccumulator,
  scoreAccumulator,
  scoreRow,
  type TimeSums,
} from "../../src/scores/index.js";
import { pairOf } from "../../src/scores/layout.js";
import { rootMeanSquare, selectTimes, squaresOf } from "../../src/scores/summary.js";
import { stepModel } from "../../src/step/step.js";
import { train } from "../../src/training/train.js";
import { nearestRidge } from "./nearestRidge.js";

const { values: args, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    raw: { type: "string", default: "../shared/data/raw/era5-2mt-2019-03-uk.grib" },
    seed: { type: "string", default: "1" },
    engine: { type: "string", default: "auto" },
    set: { type: "string", multiple: true, default: [] },
    require: { type: "boolean", default: false },
    json: { type: "string" },
  },
});
const name = positionals[0] as keyof typeof CASES;

/**
 * Folds, whom the model must beat, and the store: that of t2m is normalised by what the fold trains on, the others bring
 * statistics of all their months along. `blockHours`: blocks that are taken for independent beside those of our rule.
 */
interface Case {
  folds: number[];
  beats: string[];
  blockHours?: number;
  make(path: string, period: [string, string]): Promise<unknown>;
}

const NEAREST = "ridge_5x5";

const CASES: Record<"t2m" | "waves" | "storm", Case> = {
  t2m: {
    folds: [0, 1],
    beats: ["linear", NEAREST],
    blockHours: 48,
    make: async (path, period) => {
      await importStore([args.raw], path);
      await normalizeStore(path, period);
    },
  },
  waves: { folds: [0], beats: ["linear"], make: (path) => makeWaves(path) },
  storm: {
    folds: [0],
    beats: ["linear"],
    make: (path) => cp("assets/storm_199601.zarr", path, { recursive: true }),
  },
};
if (!(name in CASES))
  throw new Error(`usage: node scripts/run.mjs scripts/gap-skill/compare.ts ${Object.keys(CASES).join("|")}`);
const { folds, beats, blockHours, make } = CASES[name];
const out = mkdtempSync(join(tmpdir(), "atmorep-gap-"));

/** The configuration of a fold: in the second, what was trained on is scored, and the other way round. */
function configOf(fold: number, store: string): RunConfig {
  const file = name === "storm" ? "configs/storm.json" : `scripts/gap-skill/${name}.json`;
  const { config } = resolveConfig({ file, data: store, seed: Number(args.seed), set: args.set });
  return fold === 0 ? config : { ...config, dates_train: config.dates_val, dates_val: config.dates_train };
}

async function trained(config: RunConfig, runId: string) {
  const start = performance.now();
  let steps = 0;
  for await (const event of train(config, { out, runId, engine: args.engine as EngineName })) {
    if (event.type === "step") steps = event.step;
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log(
    `trained on ${config.dates_train?.map((dates) => dates.join(" to ")).join(", ")}: ${steps} steps, ${seconds} s`,
  );
  const model = stepModel(config);
  return { model, params: toTensors(await readInitialWeights(out, `${runId}@latest`, config, model.spec)) };
}

let accumulator: ScoreAccumulator | null = null;
/** of the store */
let stepHours = Number.NaN;

/** Trains on one part and adds the scores of the other. */
async function addFold(fold: number): Promise<void> {
  const path = join(out, `fold${fold}.zarr`);
  const config = configOf(fold, path);
  const [[first, last]] = config.dates_train!;
  await make(path, [first, last]);
  const store = await openStore(path);
  try {
    const [{ field }] = predictedFields(config);
    const network = await trained(config, `gapfold${fold}`);
    const engine = await openEngine(args.engine as EngineName);
    const params = await fitBaselines({
      config,
      store,
      draws: (epoch) => drawEpoch({ config, store, split: "train", epoch }),
    });
    const ridge = await nearestRidge(config, store);
    stepHours = Number(usualStep(store.times)) / Number(HOUR_NS);
    accumulator ??= scoreAccumulator({
      predictors: ["model", ...usableBaselines(config.BERT_strategy, params), NEAREST],
      levels: { [field.name]: field.levels },
      grid: store,
      quantities: [ensembleQuantity(config.net_tail_num_nets)],
    });
    const lookup = storeNormalization(store);
    const context = { config, store, fields: parseFields(config), predicted: predictedFields(config) };
    const draws = drawEpoch({ config, store, split: "validate", epoch: 0 });
    for await (const batch of readyBatches(context, draws, createMaskStreams(config, context.fields))) {
      const predicted = await predictReady({ engine, model: network.model }, network.params, batch, true);
      const [{ mean, ens }] = predicted.predictions;
      const scored = await scoreBatch({ config, store }, batch, field, mean, { lookup, params });
      const { cube, masked } = batch;
      const own = pairOf(cube, masked, field.name);
      const nearest = ridgePredictions(own.cube, own.masked, cube.windows, ridge);
      const predictions = { ...scored.predictions, [NEAREST]: nearest };
      accumulator.add({ ...scored, predictions, members: ens ?? undefined });
    }
    tf.dispose(Object.values(network.params));
  } finally {
    await store.close();
  }
}

const range = (low: number, high: number) =>
  Number.isNaN(low) ? "not known" : `${formatScore(low)} to ${formatScore(high)}`;

/** Sums of blocks of so many hours, counted from the store's first. */
function inBlocks({ times, sums }: TimeSums, hours: number): TimeSums {
  const blocks = new Map<number, Float64Array>();
  for (const [t, time] of times.entries()) {
    const block = Math.floor((time * stepHours) / hours);
    const total = blocks.get(block) ?? new Float64Array(sums[t].length);
    blocks.set(
      block,
      total.map((sum, k) => sum + sums[t][k]),
    );
  }
  return { times: [...blocks.keys()], sums: [...blocks.values()] };
}

interface Row {
  predictor: string;
  rmse: number;
  modelMinusThis?: PairedTest;
  /** with blocks of `blockHours` as if they were independent */
  inBlocks?: PairedTest;
}

function tests(series: TimeSums, p: number): Pick<Row, "modelMinusThis" | "inBlocks"> {
  const [model, other] = [squaresOf(series, 0), squaresOf(series, p)];
  const modelMinusThis = pairedTest(model, other, rootMeanSquare, { span: accumulator!.span() });
  if (!blockHours) return { modelMinusThis };
  const [first, second] = [model, other].map((sums) => inBlocks(sums, blockHours));
  return { modelMinusThis, inBlocks: pairedTest(first, second, rootMeanSquare, { blockLength: 1 }) };
}

/** Prints the scores of all folds together, best first, and the model's difference from each. */
function report(accumulator: ScoreAccumulator): void {
  const { predictors, levels } = accumulator.options;
  const [field] = Object.keys(levels);
  const selection = { field, level: "all", lead: "all", region: "global", kind: "all" } as const;
  const row = scoreRow(accumulator, selection);
  if (!row) throw new Error("no hidden point was scored");
  const times = selectTimes(accumulator.cells(), selection);
  const { unit } = displayUnit(field);
  const calibration = quantityScores(accumulator, selection).spread_skill_ratio;
  console.log(`\n${field} (${unit}), ${row.points} points, ${row.times} initial times, seed ${args.seed}`);
  const rows: Row[] = predictors
    .toSorted((a, b) => row.scores[a].rmse - row.scores[b].rmse)
    .map((predictor) => {
      const { rmse } = row.scores[predictor];
      if (predictor === "model") return { predictor, rmse };
      return { predictor, rmse, ...tests(times, predictors.indexOf(predictor)) };
    });
  for (const { predictor, rmse, modelMinusThis: test, inBlocks: fixed } of rows) {
    const few = test?.tooFew ? ", too few to tell" : "";
    const against = test
      ? `  model minus this ${formatScore(test.value)}, 95 % ${range(test.low, test.high)}, ${test.blocks} blocks of ${test.blockLength} times${few}`
      : "";
    const also = fixed
      ? `; ${fixed.blocks} blocks of ${blockHours} h taken as independent: ${range(fixed.low, fixed.high)}`
      : "";
    console.log(`  ${predictor.padEnd(20)}${formatScore(rmse).padStart(7)}${against}${also}`);
  }
  const ratio = "value" in calibration ? calibration.value : Number.NaN;
  console.log(`  spread over skill of the model ${formatScore(ratio)}`);
  const model = row.scores.model.rmse;
  const list = rows
    .filter(({ predictor }) => predictor !== "model")
    .map(({ predictor, rmse }) => `${predictor} ${formatScore(rmse)}`);
  console.log(
    `${name}: model ${formatScore(model)} ${unit}; ${list.join(", ")}; spread over skill ${formatScore(ratio)}`,
  );
  for (const opponent of beats) {
    const row = rows.find(({ predictor }) => predictor === opponent)!;
    const told = row.inBlocks ? `, by blocks of ${blockHours} h ${range(row.inBlocks.low, row.inBlocks.high)}` : "";
    const won = row.inBlocks ? row.inBlocks.high < 0 : row.rmse > model;
    console.log(`${name}: the model ${won ? "beats" : "does not beat"} ${opponent}${told}`);
    if (args.require && !won) process.exitCode = 1;
  }
  if (args.json)
    writeFileSync(args.json, `${JSON.stringify({ field, unit, rows, spreadOverSkill: ratio }, null, 1)}\n`);
}

try {
  for (const fold of folds) await addFold(fold);
  report(accumulator!);
} finally {
  rmSync(out, { recursive: true, force: true });
}
