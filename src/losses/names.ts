/** What is known about each loss without computing it: for configuration checks, help and docs. Loads no TensorFlow.js. */
import { nearestName } from "../config/nearest.js";
import { AtmorepError } from "../errors.js";
import type { LossEntry } from "./types.js";

/** A loss without its function. */
export type LossInfo = Omit<LossEntry, "fn">;

/** The losses that come with the program; `table.ts` gives each its function. */
export const BUILT_IN = {
  mse: { members: 1, area: false, doc: "mean squared error of the ensemble mean" },
  mse_ensemble: { members: 1, area: false, doc: "mean over members of their mean squared error" },
  weighted_mse: {
    members: 1,
    area: true,
    doc: "mean over members of the squared error weighted by the cosine of latitude",
  },
  stats: {
    members: 2,
    area: false,
    doc: "distance of the ensemble's Gaussian from 1 at the target, plus the root of the spread",
  },
  stats_area: {
    members: 2,
    area: false,
    doc: "0.2 times the squared error function of (target - mean) / variance, plus the root of the spread",
  },
  crps: {
    members: 2,
    area: false,
    doc: "CRPS of the Gaussian with the ensemble's mean and spread (Rasp and Lerch 2018, Eq. A2)",
  },
  kernel_crps: {
    members: 1,
    area: false,
    doc: "fair kernel CRPS of the members; with one member the mean absolute error",
  },
  almost_fair_crps: {
    members: 2,
    area: false,
    doc: "0.95 of the fair kernel CRPS and 0.05 of the plain one (Lang et al. 2024), without the fair form's degenerate minima",
  },
} as const satisfies Record<string, LossInfo>;

export type BuiltInLoss = keyof typeof BUILT_IN;

const infos = new Map<string, LossInfo>(Object.entries(BUILT_IN));

/** All losses by name, registered ones included: least number of members, whether latitudes are read, one line of doc. */
export function lossNames(): Record<string, LossInfo> {
  return Object.fromEntries(infos);
}

/**
 * What is known of a loss.
 *
 * @throws AtmorepError `config` for an unknown name, with the known ones and the nearest
 */
export function lossInfo(name: string): LossInfo {
  const info = infos.get(name);
  if (info) return info;
  const known = [...infos.keys()];
  const nearest = nearestName(name, known);
  throw new AtmorepError("config", "unknown loss", {
    where: "losses",
    found: name,
    expected: `one of ${known.join(", ")}`,
    fix: nearest ? `Did you mean ${nearest}?` : "A loss of your own is added with registerLoss.",
  });
}

/** Makes a registered loss known by name; `registerLoss` of `table.ts` calls it. */
export function addLossInfo(name: string, info: LossInfo): void {
  infos.set(name, info);
}
