/** The table of losses: each name with its function; `registerLoss` adds one of your own. */
import { AtmorepError } from "../errors.js";
import { almostFairCrps, kernelCrps } from "./kernelCrps.js";
import { addLossInfo, BUILT_IN, type BuiltInLoss, lossInfo } from "./names.js";
import { crps, stats, statsArea } from "./spread.js";
import { mse, mseEnsemble, weightedMse } from "./squared.js";
import type { LossEntry } from "./types.js";

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

/** Every loss by name, registered ones included. */
export const LOSSES: Record<string, LossEntry> = Object.fromEntries(
  Object.entries(FUNCTIONS).map(([name, fn]) => [name, { ...BUILT_IN[name as BuiltInLoss], fn }]),
);

/**
 * The loss of that name.
 *
 * @throws AtmorepError `config` for an unknown name, with the known ones and the nearest
 */
export function getLoss(name: string): LossEntry {
  if (Object.hasOwn(LOSSES, name)) return LOSSES[name];
  lossInfo(name);
  throw new AtmorepError("failed", "loss is named but has no function", { where: "losses", found: name });
}

/**
 * Adds a loss for `losses` of a configuration: a pure function of TensorFlow.js operations.
 *
 * @example
 * registerLoss("mae", {
 *   fn: ({ target, mean, valid }) => weightedMean(tf.abs(tf.sub(mean, target)), valid ?? null),
 *   members: 1,
 *   area: false,
 *   doc: "mean absolute error of the ensemble mean",
 * });
 * @throws AtmorepError `usage` if the name is taken or is not made of lower-case letters, digits and `_`
 */
export function registerLoss(name: string, entry: LossEntry): void {
  if (!/^[a-z][a-z0-9_]*$/.test(name)) {
    throw new AtmorepError("usage", "not a name for a loss", {
      where: "registerLoss",
      found: name,
      expected: "lower-case letters, digits and _",
    });
  }
  if (Object.hasOwn(LOSSES, name)) {
    throw new AtmorepError("usage", "a loss of this name exists", { where: "registerLoss", found: name });
  }
  const { fn, ...info } = entry;
  addLossInfo(name, info);
  LOSSES[name] = entry;
}
