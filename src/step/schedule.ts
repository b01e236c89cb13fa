/** Learning rates by epoch. */
import type { RunConfig } from "../config/types.js";

/** Entries beyond `num_epochs`, as in the reference. */
const SPARE = 5;

/**
 * The learning rate of every epoch: linear from `lr_start` to `lr_max` over `lr_start_epochs`, then divided by
 * `lr_decay_rate` each epoch down to `lr_min`.
 *
 * @returns `num_epochs` + 5 rates
 */
export function learningRates(
  config: Pick<RunConfig, "lr_start" | "lr_max" | "lr_min" | "lr_decay_rate" | "lr_start_epochs" | "num_epochs">,
): Float64Array {
  const { lr_start, lr_max, lr_min, lr_decay_rate, lr_start_epochs: n } = config;
  const rates = new Float64Array(config.num_epochs + SPARE);
  for (let e = 0; e < rates.length; e++) {
    if (e === 0 && n <= 1) rates[e] = lr_max;
    else if (e < n) rates[e] = lr_start + ((lr_max - lr_start) * e) / (n - 1);
    else rates[e] = Math.max(rates[e - 1] / lr_decay_rate, lr_min);
  }
  return rates;
}
