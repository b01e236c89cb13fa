/**
 * What must a token carry? Fills the same hidden 18 hours of the same windows of the synthetic `waves` store with tokens of
 * other sizes at one width of the embedding, and with other widths at one size.
 *
 *   node scripts/run.mjs scripts/gap-skill/tokens.ts [--steps 300] [--seed 1] [--engine auto] [--json FILE]
 *
 * Run it from the checkout's root. The configuration is that of tutorial 11, with more sizes and widths. Temperature, root mean
 * square error in K on the validation month; made, not weather.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { resolveConfig } from "../../src/config/resolve.js";
import type { RunConfig } from "../../src/config/types.js";
import { makeWaves } from "../../src/data/waves.js";
import type { EngineName } from "../../src/engine/index.js";
import { train } from "../../src/training/train.js";

const { values: args } = parseArgs({
  options: {
    steps: { type: "string", default: "300" },
    seed: { type: "string", default: "1" },
    engine: { type: "string", default: "auto" },
    json: { type: "string" },
  },
});

/** Windows of 9 steps, 6 rows and 8 columns; of them the steps 3, 4 and 5 are hidden. */
const WINDOW = [9, 6, 8] as const;
const EPOCHS = 3;
/** Of a batch of the preset. */
const SAMPLES = 8;
type Size = readonly [number, number, number];
const SMALL: Size = [1, 3, 4];
const LARGE: Size = [3, 6, 8];
const CASES: readonly [size: Size, width: number][] = [
  ...([SMALL, [1, 6, 8], [3, 3, 4], LARGE] as const).map((size): [Size, number] => [size, 64]),
  ...[16, 32].map((width): [Size, number] => [SMALL, width]),
  ...[128, 256].map((width): [Size, number] => [LARGE, width]),
];

/** The same task in tokens of `size` [steps, rows, columns], with embeddings of `width` channels. */
function configOf(store: string, size: Size, width: number): RunConfig {
  const tokens = WINDOW.map((points, axis) => points / size[axis]);
  return resolveConfig({
    preset: "waves",
    data: store,
    seed: Number(args.seed),
    set: {
      fields: [["temperature", [1, width, [], 0], [137], tokens, size, [0.5, 0.9, 0.2, 0.05], "local"]],
      fields_prediction: [["temperature", 1]],
      n_size: [WINDOW[0], 30, 40],
      BERT_strategy: "temporal_interpolation",
      idx_time_mask: size[0] === 3 ? [1] : [3, 4, 5],
      losses: ["crps"],
      size_token_info_net: 2,
      dropout_rate: 0.02,
      num_epochs: EPOCHS,
      num_samples_per_epoch: Math.round(Number(args.steps) / EPOCHS) * SAMPLES,
      samples_per_time: 8,
      num_samples_validate: 320,
      batch_size_validation: 16,
      lr_start: 0.0005,
      lr_min: 0.0001,
      lr_decay_rate: 2,
      ema_decay: 0.98,
      log_test_num_ranks: 0,
    },
  }).config;
}

const out = mkdtempSync(join(tmpdir(), "atmorep-tokens-"));
const rows = [];
try {
  const store = join(out, "waves.zarr");
  await makeWaves(store);
  console.log("token        values  width  tokens  parameters  RMSE (K)  of linear's");
  for (const [index, [size, width]] of CASES.entries()) {
    const config = configOf(store, size, width);
    let parameters = 0;
    for await (const event of train(config, { out, runId: `tokens${index}0`, engine: args.engine as EngineName })) {
      if (event.type === "started") parameters = event.parameters;
      if (event.type !== "finished") continue;
      const { model, linear } = event.skill[0].rmse;
      const values = size[0] * size[1] * size[2];
      const tokens = (WINDOW[0] * WINDOW[1] * WINDOW[2]) / values;
      rows.push({ size, values, width, tokens, parameters, steps: event.step, model, linear });
      const cells = [String(values).padStart(6), String(width).padStart(5), String(tokens).padStart(6)];
      const numbers = [
        String(parameters).padStart(10),
        model.toFixed(3).padStart(8),
        (model / linear).toFixed(3).padStart(11),
      ];
      console.log([`[${size.join(", ")}]`.padEnd(11), ...cells, ...numbers].join("  "));
    }
  }
  if (args.json) writeFileSync(args.json, `${JSON.stringify(rows, null, 1)}\n`);
} finally {
  rmSync(out, { recursive: true, force: true });
}
