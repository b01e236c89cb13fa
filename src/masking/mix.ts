/** Mixing strategies in one run: `BERT_strategy_mix`. */
import type { RunConfig, Strategy } from "../config/types.js";
import { derive } from "../random/index.js";

type MixConfig = Pick<RunConfig, "BERT_strategy" | "BERT_strategy_mix" | "rng_seed">;

/**
 * The strategy of a training batch, drawn with the shares of the mix (which need not sum to 1). It depends on the
 * seed, the epoch and the batch's number only, so that a continued run goes on alike.
 */
export function strategyOfBatch(config: MixConfig, epoch: number, batch: number): Strategy {
  const shares = Object.entries(config.BERT_strategy_mix ?? {}) as [Strategy, number][];
  if (shares.length === 0) return config.BERT_strategy;
  const total = shares.reduce((sum, [, share]) => sum + share, 0);
  let left = derive(config.rng_seed ?? 0, "strategy", epoch, batch).random() * total;
  for (const [name, share] of shares) {
    left -= share;
    if (left < 0) return name;
  }
  return shares[shares.length - 1][0];
}
