/**
 * What must a token carry? Fills the same hidden 18 hours of the same windows of the synthetic `waves` store with tokens of
 * other sizes at one width of the embedding, and with other widths at one size.
 *
 *   node scripts/run.mjs scripts/gap-skill/tokens.ts [--steps 800] [--seed 1] [--engine auto] [--json FILE]
 *
 * Run it from the checkout's root. Temperature, root mean square error in K on the validation month; made, not weather.
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
    steps: { type: "string", default: "800" },
    seed: { type: "string", default: "1" },
    engine: { type: "string", default: "auto" },
    json: { type: "string" },
  },
});

/** Windows of 9 steps, 6 rows and 8 columns; of them the steps 3, 4 and 5 are hidden. */
const WINDOW = [9, 6, 8] as const;
type Size = readonly [number, number, number];
const SMALL: Size = [1, 3, 4];
const LARGE: Size = [3, 6, 8];
const CASES: readonly [size: Size, width: number][] = [
  ...([SMALL, [1, 6, 8], [3, 3, 4], LARGE] as const).map((size): [Size, number] => [size, 64]),
  ...[128, 256].map((width): [Size, number] => [LARGE, width]),
  ...[16, 32].map((width): [Size, number] => [SMALL, width]),
];

/** The same task in tokens of `size` [steps, rows, columns], with embeddings of `width` channels. */
function configOf(store: string, size: Size, width: number): RunConfig {
  const tokens = WINDOW.map((points, axis) => points / size[axis]);
  return resolveConfig({
    file: "scripts/gap-skill/waves.json",
    data: store,
    seed: Number(args.seed),
    set: {
      fields: [["temperature", [1, width, [], 0], [137], tokens, size, [0.5, 0.9, 0.2, 0.05], "local"]],
      n_size: [WINDOW[0], 30, 40],
      idx_time_mask: size[0] === 3 ? [1] : [3, 4, 5],
      grad_accumulation: 1,
      num_epochs: 4,
      num_samples_per_epoch: Number(args.steps) * 2,
      num_samples_validate: 640,
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
