/** A run small enough for a test: one field of the storm, a few steps an epoch. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resolveConfig } from "../../src/config/resolve.js";
import type { RunConfig } from "../../src/config/types.js";
import type { FinishedEvent, TrainEvent } from "../../src/runs/events.js";
import type { TrainOptions } from "../../src/training/options.js";
import { train } from "../../src/training/train.js";

/** What a small run needs of its own, whatever the preset that it starts from does: a window of three days. */
export const SMALL = {
  n_size: [12, 22.5, 45],
  idx_time_mask: null,
  token_infos: "raw",
  samples_per_time: 25,
  grad_accumulation: 1,
  lr_start: 0.0005,
  lr_max: 0.001,
  lr_min: 0.0001,
  lr_decay_rate: 1.3,
  lr_start_epochs: 2,
  weight_decay: 0.05,
  ema_decay: 0.98,
};

/** The smallest network that has every part. */
export const TINY_NETWORK = {
  encoder_num_layers: 1,
  decoder_num_layers: 1,
  encoder_num_heads: 2,
  decoder_num_heads: 2,
  net_tail_num_nets: 2,
};

/** 6 steps an epoch, 2 epochs, 9,000 parameters; BERT, so that every random stream is in use. */
export function tinyConfig(set: Record<string, unknown> = {}): RunConfig {
  return resolveConfig({
    preset: "storm",
    set: {
      ...SMALL,
      fields: [["mean_sea_level_pressure", [1, 24, [], 0], [0], [4, 3, 3], [3, 6, 6], [0.5, 0.9, 0.4, 0.3]]],
      fields_prediction: [["mean_sea_level_pressure", 1]],
      BERT_strategy: "BERT",
      batch_size: 2,
      batch_size_validation: 2,
      num_samples_per_epoch: 12,
      num_samples_validate: 4,
      num_epochs: 2,
      ...TINY_NETWORK,
      losses: ["mse_ensemble", "kernel_crps"],
      dropout_rate: 0.1,
      model_log_frequency: 4,
      ...set,
    },
  }).config;
}

export const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), "atmorep-test-"));

/** Runs to the end. @returns every event, and the last one by itself */
export async function runAll(
  config: RunConfig,
  options: TrainOptions,
): Promise<{ events: TrainEvent[]; finished: FinishedEvent }> {
  const events: TrainEvent[] = [];
  for await (const event of train(config, options)) events.push(event);
  return { events, finished: events.at(-1) as FinishedEvent };
}
