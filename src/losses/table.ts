/** The table of losses: each name with its function. */
import * as tf from "@tensorflow/tfjs-core";
import { almostFairCrps, kernelCrps } from "./kernelCrps.js";
import { BUILT_IN, type BuiltInLoss, lossInfo, ownLoss } from "./names.js";
import { weightedMean } from "./reduce.js";
import { crps, stats, statsArea } from "./spread.js";
import { mse, mseEnsemble, weightedMse } from "./squared.js";
import type { LossEntry, LossTools } from "./types.js";

const FUNCTIONS: Record<BuiltInLoss, LossEntry["fn"]> = {
  mse,
  mse_ensemble: mseEnsemble,
  weighted_mse: weightedMse,
  stats,
  stats_area: statsArea,
  crps,
  kernel_crps: kernelCrps,
  almost_fair_crps: almostFairCrps,
};

/** Every built-in loss by name. */
export const LOSSES: Record<string, LossEntry> = Object.fromEntries(
  Object.entries(FUNCTIONS).map(([name, fn]) => [name, { ...BUILT_IN[name as BuiltInLoss], fn }]),
);

const TOOLS: LossTools = { tf, weightedMean };

/**
 * The loss of that name, built in or registered.
 *
 * @throws AtmorepError `config` for an unknown name, with the known ones and the nearest
 */
export function getLoss(name: string): LossEntry {
  if (Object.hasOwn(LOSSES, name)) return LOSSES[name];
  const info = lossInfo(name);
  const own = ownLoss(name)!;
  return { ...info, fn: (inputs) => own.fn(inputs, TOOLS) };
}
