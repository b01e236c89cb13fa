/**
 * Do coupled fields help on the storm sample? Trains the preset `coupled-storm` and the same fields uncoupled, from the same
 * seed, for the same steps, and scores both beside ridge regression and the simple baselines, all on the same hidden points.
 *
 *   node scripts/run.mjs scripts/coupled-or-not/compare.ts [--seed 1] [--epochs 3] [--samples 200] [--json FILE]
 *
 * Run it from the checkout's root. Root mean square errors in physical units with 95 % intervals over
 * independent blocks of initial times; differences are tested at the same times.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import * as tf from "@tensorflow/tfjs-core";
import { type ReadyBatch, readyBatches } from "../../src/batches/ready.js";
import { parseFields, predictedFields } from "../../src/config/fields.js";
import { resolveConfig } from "../../src/config/resolve.js";
import type { RunConfig } from "../../src/config/types.js";
import { drawEpoch, openStore } from "../../src/data/index.js";
import { displayUnit } from "../../src/data/units.js";
import { openEngine } from "../../src/engine/index.js";
import { createMaskStreams } from "../../src/masking/index.js";
import { countParameters, toTensors } from "../../src/model/index.js";
import { fitBaselines } from "../../src/prediction/baselines.js";
import { predictReady } from "../../src/prediction/pass.js";
import { scoreBatch } from "../../src/prediction/scoreBatch.js";
import { storeNormalization } from "../../src/results/storeNormalization.js";
import { readInitialWeights } from "../../src/runs/weightFiles.js";
import { usableBaselines } from "../../src/scores/baselines/registry.js";
import { formatScore, pairedTest, scoreAccumulator, scoreRow } from "../../src/scores/index.js";
import { rootMeanSquare, selectTimes, squaresOf } from "../../src/scores/summary.js";
import { stepModel } from "../../src/step/step.js";
import { train } from "../../src/training/train.js";
import { type FieldMaps, fitMaps, penalty, predictMaps } from "./ridge.js";

const { values: args } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    epochs: { type: "string", default: "3" },
    samples: { type: "string", default: "200" },
    json: { type: "string" },
  },
});

const coupled = resolveConfig({
  preset: "coupled-storm",
  seed: Number(args.seed),
  set: [`num_epochs=${args.epochs}`],
}).config;
const uncoupled: RunConfig = {
  ...coupled,
  fields: coupled.fields.map(([name, [dynamic, width, , device], ...rest]) => [
    name,
    [dynamic, width, [], device],
    ...rest,
  ]),
};
const variants = { coupled, uncoupled };
const store = await openStore(coupled.file_path);
const out = mkdtempSync(join(tmpdir(), "atmorep-coupled-"));

/** The network of a finished run. */
async function trained(name: keyof typeof variants) {
  const config = variants[name];
  const runId = name.slice(0, 8).padEnd(8, "0");
  let steps = 0;
  for await (const event of train(config, { out, runId, engine: "wasm" }))
    if (event.type === "step") steps = event.step;
  const model = stepModel(config);
  const params = toTensors(await readInitialWeights(out, `${runId}@latest`, config, model.spec));
  console.log(`${name}: ${countParameters(model.spec)} parameters, ${steps} steps`);
  return { model, params };
}

/** Prepared batches of a split, masked alike for every predictor. */
async function* batchesOf(config: RunConfig, split: "train" | "validate"): AsyncGenerator<ReadyBatch> {
  const fields = parseFields(config);
  const context = { config, store, fields, predicted: predictedFields(config) };
  yield* readyBatches(context, drawEpoch({ config, store, split, epoch: 0 }), createMaskStreams(config, fields), split);
}

async function ridgeMaps(): Promise<Map<string, FieldMaps>> {
  const batches: ReadyBatch[] = [];
  for await (const batch of batchesOf({ ...coupled, num_samples_per_epoch: 200 }, "train")) batches.push(batch);
  const maps = new Map<string, FieldMaps>();
  for (const field of parseFields(coupled)) {
    const lambdas = [];
    for (const level of field.levels) lambdas.push(await penalty(store, field, level));
    const pairs = batches.map(({ cube, masked }) => ({
      cube: cube.fields[field.index],
      masked: masked.fields[field.index],
    }));
    maps.set(field.name, fitMaps(pairs, lambdas));
  }
  return maps;
}

const range = (low: number, high: number) =>
  Number.isNaN(low) ? "not known" : `${formatScore(low)} to ${formatScore(high)}`;

try {
  const engine = await openEngine("wasm");
  const maps = await ridgeMaps();
  const networks = { coupled: await trained("coupled"), uncoupled: await trained("uncoupled") };
  const draws = (epoch: number) => drawEpoch({ config: coupled, store, split: "train", epoch });
  const params = await fitBaselines({ config: coupled, store, draws });
  const baselines = usableBaselines(coupled.BERT_strategy, params);
  const predictors = [...new Set(["coupled", "uncoupled", "ridge", ...baselines])];
  const fields = parseFields(coupled);
  const accumulator = scoreAccumulator({
    predictors,
    levels: Object.fromEntries(fields.map(({ name, levels }) => [name, levels])),
    grid: store,
  });
  const config = { ...coupled, num_samples_validate: Number(args.samples) };
  const lookup = storeNormalization(store);
  for await (const batch of batchesOf(config, "validate")) {
    const [a, b] = [
      await predictReady({ engine, ...networks.coupled }, networks.coupled.params, batch, false),
      await predictReady({ engine, ...networks.uncoupled }, networks.uncoupled.params, batch, false),
    ];
    for (const [p, { field }] of predictedFields(config).entries()) {
      const simple = await scoreBatch({ config, store }, batch, field, null, { lookup, params });
      const [cube, masked] = [batch.cube.fields[field.index], batch.masked.fields[field.index]];
      accumulator.add({
        ...simple,
        predictions: {
          ...simple.predictions,
          coupled: a.predictions[p].mean,
          uncoupled: b.predictions[p].mean,
          ridge: predictMaps(maps.get(field.name)!, cube, masked),
        },
      });
    }
  }
  for (const { params } of Object.values(networks)) tf.dispose(Object.values(params));
  report(accumulator, predictors);
} finally {
  await store.close();
  rmSync(out, { recursive: true, force: true });
}

/** Prints one table a field, who wins, and how sure that is. */
function report(accumulator: ReturnType<typeof scoreAccumulator>, predictors: readonly string[]): void {
  const rows = [];
  for (const { field } of predictedFields(coupled)) {
    const selection = { field: field.name, level: "all", lead: "all", region: "global", kind: "all" } as const;
    const row = scoreRow(accumulator, selection, {});
    if (!row?.intervals) continue;
    const times = selectTimes(accumulator.cells(), selection);
    const versus = (i: number, k: number) =>
      pairedTest(squaresOf(times, i), squaresOf(times, k), rootMeanSquare, { span: accumulator.span() });
    const ranked = predictors.toSorted((x, y) => row.scores[x].rmse - row.scores[y].rmse);
    const { unit } = displayUnit(field.name);
    console.log(`\n${field.name} (${unit}), ${row.points} points, ${row.times} initial times`);
    for (const name of ranked) {
      const { value, low, high } = row.intervals[name];
      console.log(`  ${name.padEnd(20)}${formatScore(value).padStart(7)}  ${range(low, high)}`);
    }
    const [first, second] = ranked.map((name) => predictors.indexOf(name));
    const gap = versus(first, second);
    const coupling = versus(0, 1);
    const sure = (test: ReturnType<typeof pairedTest>) =>
      `${formatScore(test.value)}, 95 % ${range(test.low, test.high)}` +
      (test.tooFew
        ? `, too few to tell: ${test.blocks} independent ${test.blocks === 1 ? "block" : "blocks"}`
        : `, ${test.blocks} blocks`);
    console.log(`  ${ranked[0]} wins over ${ranked[1]} by ${sure(gap)}`);
    console.log(`  coupled minus uncoupled: ${sure(coupling)}`);
    rows.push({ ...row, unit, order: ranked, winnerMinusSecond: gap, coupledMinusUncoupled: coupling });
  }
  if (args.json) writeFileSync(args.json, `${JSON.stringify(rows, null, 1)}\n`);
}
