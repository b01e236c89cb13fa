/**
 * What is known about each loss without computing it, for configuration checks, help and docs; and the losses of
 * one's own. Loads no TensorFlow.js.
 */
import type { LossName } from "../config/kinds.js";
import { nearestName } from "../config/nearest.js";
import { AtmorepError } from "../errors.js";
import type { LossEntry, OwnLoss } from "./types.js";

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
  ensemble_crps: {
    members: 2,
    area: false,
    doc: "CRPS of the members' own distribution, which makes them quantiles of what may happen",
  },
} as const satisfies Record<LossName, LossInfo>;

export type { LossName };

const own = new Map<string, OwnLoss>();

/** The registered loss of that name, if there is one. */
export const ownLoss = (name: string): OwnLoss | undefined => own.get(name);

/** All losses by name, registered ones included: least number of members, whether latitudes are read, one line of doc. */
export function lossNames(): Record<string, LossInfo> {
  const registered = [...own].map(([name, { members = 1, area = false, doc }]) => [name, { members, area, doc }]);
  return { ...BUILT_IN, ...Object.fromEntries(registered) };
}

/**
 * What is known of a loss.
 *
 * @throws AtmorepError `config` for an unknown name, with the known ones and the nearest
 */
export function lossInfo(name: string): LossInfo {
  const infos = lossNames();
  if (Object.hasOwn(infos, name)) return infos[name];
  const known = Object.keys(infos);
  const nearest = nearestName(name, known);
  throw new AtmorepError("config", "unknown loss", {
    where: "losses",
    found: name,
    expected: `one of ${known.join(", ")}`,
    fix: nearest ? `Did you mean ${nearest}?` : "A loss of your own is added with losses.register.",
  });
}

/**
 * Adds a loss for `losses` of a configuration; it then appears in the total, the logged series (`<name>, <field>`),
 * plots and `config docs`. Registering a name of one's own again replaces it, as running a notebook cell again does.
 *
 * @example
 * registerLoss("mae", {
 *   doc: "mean absolute error of the ensemble mean",
 *   fn: ({ target, mean, valid }, { tf, weightedMean }) => weightedMean(tf.abs(tf.sub(mean, target)), valid ?? null),
 * });
 * @throws AtmorepError `usage` if the name is a built-in loss's or is not made of lower-case letters, digits and `_`,
 *   or if the entry lacks its function or its line of doc
 */
export function registerLoss(name: string, loss: OwnLoss): void {
  const where = "losses.register";
  if (!/^[a-z][a-z0-9_]*$/.test(name)) {
    const expected = "lower-case letters, digits and _";
    throw new AtmorepError("usage", "not a name for a loss", { where, found: name, expected });
  }
  if (Object.hasOwn(BUILT_IN, name)) {
    throw new AtmorepError("usage", "a built-in loss of this name exists", {
      where,
      found: name,
      fix: "Give yours another name.",
    });
  }
  const { fn, members = 1, doc } = loss;
  if (typeof fn !== "function" || !doc || !Number.isInteger(members) || members < 1) {
    throw new AtmorepError("usage", `the loss ${name} is incomplete`, {
      where,
      found: Object.keys(loss).join(", ") || "nothing",
      expected: "fn (a function), doc (one line), optionally members (a whole number from 1 on) and area",
    });
  }
  own.set(name, loss);
}
