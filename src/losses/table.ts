/** The table of losses: each name with its function. */
import type { Scalar } from "@tensorflow/tfjs-core";
import * as tf from "@tensorflow/tfjs-core";
import { type Explain, explained } from "../engine/kernels/index.js";
import { AtmorepError, isAtmorepError } from "../errors.js";
import { almostFairCrps, ensembleCrps, kernelCrps } from "./kernelCrps.js";
import { BUILT_IN, type LossName, lossInfo, ownLoss } from "./names.js";
import { weightedMean } from "./reduce.js";
import { crps, stats, statsArea } from "./spread.js";
import { mse, mseEnsemble, weightedMse } from "./squared.js";
import type { LossEntry, LossTools } from "./types.js";

const FUNCTIONS: Record<LossName, LossEntry["fn"]> = {
  mse,
  mse_ensemble: mseEnsemble,
  weighted_mse: weightedMse,
  stats,
  stats_area: statsArea,
  crps,
  kernel_crps: kernelCrps,
  almost_fair_crps: almostFairCrps,
  ensemble_crps: ensembleCrps,
};

/** Every built-in loss by name. */
export const LOSSES: Record<string, LossEntry> = Object.fromEntries(
  Object.entries(FUNCTIONS).map(([name, fn]) => [name, { ...BUILT_IN[name as LossName], fn }]),
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
  return { ...info, fn: (inputs) => explained(() => scalarOf(name, own.fn(inputs, TOOLS)), explainLoss(name)) };
}

/** A loss of one's own must give one number; a message of TensorFlow.js would not say whose it is. */
function scalarOf(name: string, value: unknown): Scalar {
  if (value instanceof tf.Tensor && value.rank === 0) return value as Scalar;
  const isPromise = typeof (value as Promise<unknown> | null)?.then === "function";
  throw new AtmorepError("usage", `the loss ${name} must give a scalar`, {
    where: `losses.register("${name}")`,
    found: value instanceof tf.Tensor ? `a tensor [${value.shape}]` : isPromise ? "a promise" : value,
    expected: "a tensor without axes",
    fix: isPromise ? "Take async away from its function." : "Take the mean: weightedMean(x, valid ?? null).",
  });
}

const explainLoss =
  (name: string): Explain =>
  (error, operation) => {
    if (isAtmorepError(error)) return error;
    return new AtmorepError("failed", `the loss ${name} failed${operation ? ` in ${operation}` : ""}`, {
      where: `losses.register("${name}")`,
      found: error.message,
      fix: "Correct its function; docs/evaluation.md shows one.",
      cause: error,
    });
  };
