/** The runs whose learning is compared with the original's: no dropout, nothing that only we have. */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PACKAGE_ROOT } from "../../src/config/presets.js";
import { resolveConfig } from "../../src/config/resolve.js";
import type { RunConfig } from "../../src/config/types.js";

/** Steps of a whole comparison: four epochs, so that the learning rate moves as well. */
export const STEPS = 200;
/** Steps that the tests take. */
export const TEST_STEPS = 20;

/** Largest learning rate, a fifth of the presets': above it rounding alone drives two runs apart (docs/skill.md). */
export const LEARNING_RATE = 2e-4;

/** Files beside this one: the presets of these names as they were when the original's losses were recorded. */
export const RUNS = { "single field": "storm", "coupled fields": "coupled-storm" } as const;
export type RunName = keyof typeof RUNS;

/** @param store of `plainStore` */
export function configuration(run: RunName, store: string, rate = LEARNING_RATE): RunConfig {
  return resolveConfig({
    file: join(PACKAGE_ROOT, "scripts", "same-learning", `${RUNS[run]}.json`),
    data: store,
    set: [
      "dropout_rate=0",
      'losses=["mse_ensemble","stats"]',
      "ema_decay=null",
      `lr_start=${rate / 2}`,
      `lr_max=${rate}`,
      `lr_min=${rate / 10}`,
      "num_epochs=4",
      "num_samples_per_epoch=400",
      "num_samples_validate=8",
      "log_test_num_ranks=0",
    ],
  }).config;
}

/** The sample store with its filled steps as any others: we leave them out of the losses, the original knows of none. */
export function plainStore(folder: string): string {
  const store = join(folder, "storm.zarr");
  cpSync(join(PACKAGE_ROOT, "assets/storm_199601.zarr"), store, { recursive: true });
  const { filled: _, ...attributes } = JSON.parse(readFileSync(join(store, ".zattrs"), "utf8"));
  writeFileSync(join(store, ".zattrs"), JSON.stringify(attributes));
  return store;
}
