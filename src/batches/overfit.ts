/** `overfit`: the same few samples in every batch. */
import type { RunConfig } from "../config/types.js";

/** The configuration with batches of `overfit` samples, as many of them an epoch as before. */
export function withOverfit(config: RunConfig, overfit: number | undefined): RunConfig {
  if (overfit === undefined) return config;
  const batches = Math.floor(config.num_samples_per_epoch / config.batch_size);
  return { ...config, batch_size: overfit, num_samples_per_epoch: batches * overfit };
}
