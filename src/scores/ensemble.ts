/**
 * Scores of ensembles, with E members. Arrays of members are [M, E, D] and targets [M, D], as the network gives them;
 * plain points are M targets with D = 1. Results are [M, D].
 */
import { AtmorepError } from "../errors.js";
import { normalCdf, normalPdf } from "../math/index.js";
import type { Scored } from "./deterministic.js";
import { meanOf } from "./mean.js";

type Values = ArrayLike<number>;

const ONE_OVER_SQRT_PI = 0.5641895835477563;

export interface Members {
  /** [M, E, D] */
  values: Values;
  /** number of members */
  E: number;
  /** grid points a token; default 1 */
  D?: number;
}

/**
 * CRPS of a normal distribution: s*(z*(2*Phi(z)-1) + 2*phi(z) - 1/sqrt(pi)), z = (t-mu)/s
 * (Gneiting and Raftery 2007, Eq. 21); the absolute error where s is 0.
 */
export function crpsGaussian(mean: number, std: number, target: number): number {
  if (std === 0) return Math.abs(target - mean);
  const z = (target - mean) / std;
  return std * (z * (2 * normalCdf(z) - 1) + 2 * normalPdf(z) - ONE_OVER_SQRT_PI);
}

/** Mean absolute error of members, and the sum over pairs i < j of abs(e_i - e_j) from their order. */
function crpsParts(members: Values, target: number): [error: number, pairs: number] {
  const sorted = Float64Array.from(members).sort();
  const E = sorted.length;
  let error = 0;
  let pairs = 0;
  for (let i = 0; i < E; i++) {
    error += Math.abs(sorted[i] - target) / E;
    pairs += (2 * i - E + 1) * sorted[i];
  }
  return [error, pairs];
}

/** CRPS of the members' empirical distribution: mean abs(e-t) - mean over all E^2 pairs of abs(e_i-e_j) / 2. */
export function crpsEnsemble(members: Values, target: number): number {
  return crpsOf(members, target)[0];
}

/**
 * Fair CRPS (Ferro 2014): the pairs are divided by E(E-1), so that the expected score does not depend on E.
 * One member: the absolute error.
 */
export function crpsFair(members: Values, target: number): number {
  return crpsOf(members, target)[1];
}

/** The empirical and the fair CRPS at once. */
export function crpsOf(members: Values, target: number): [empirical: number, fair: number] {
  const [error, pairs] = crpsParts(members, target);
  const E = members.length;
  return [error - pairs / (E * E), E === 1 ? error : error - pairs / (E * (E - 1))];
}

/** Visits every target point with its members, a view that the next point overwrites. */
function eachPoint({ values, E, D = 1 }: Members, points: number, visit: (members: Float64Array, i: number) => void) {
  if (values.length !== points * E || points % D !== 0) {
    throw new AtmorepError("usage", "members do not fit the targets", {
      where: "ensemble scores",
      found: values.length,
      expected: `${points} targets times ${E} members`,
    });
  }
  const members = new Float64Array(E);
  for (let i = 0; i < points; i++) {
    const first = Math.floor(i / D) * E * D + (i % D);
    for (let e = 0; e < E; e++) members[e] = values[first + e * D];
    visit(members, i);
  }
}

/**
 * A pointwise score such as {@link crpsFair} of every target point.
 * @param members [M, E, D]
 * @param target [M, D]
 * @returns [M, D]
 */
export function ensembleMap(
  score: (members: Float64Array, target: number) => number,
  members: Members,
  target: Values,
): Float64Array {
  const result = new Float64Array(target.length);
  eachPoint(members, target.length, (values, i) => {
    result[i] = score(values, target[i]);
  });
  return result;
}

/** Mean of members [M, D]. */
export function ensembleMean(members: Members): Float64Array {
  const result = new Float64Array(members.values.length / members.E);
  eachPoint(members, result.length, (values, i) => {
    result[i] = values.reduce((sum, e) => sum + e, 0) / values.length;
  });
  return result;
}

/** Unbiased variance of members (divided by E - 1) [M, D]. */
export function ensembleVariance(members: Members): Float64Array {
  const result = new Float64Array(members.values.length / members.E);
  eachPoint(members, result.length, (values, i) => {
    const mean = values.reduce((sum, e) => sum + e, 0) / values.length;
    result[i] = values.reduce((sum, e) => sum + (e - mean) * (e - mean), 0) / (values.length - 1);
  });
  return result;
}

const ONE_MEMBER = "one member has no spread";

/** Root of the mean unbiased variance of members; refused for one member. */
export function spread(members: Members, weights?: Values): Scored {
  if (members.E < 2) return { refused: ONE_MEMBER };
  const variance = ensembleVariance(members);
  return { value: Math.sqrt(meanOf(variance.length, weights, (i) => variance[i])) };
}

/**
 * sqrt((E+1)/E) * spread / RMSE of the ensemble mean: 1 for a reliable ensemble (Fortin et al. 2014, Eq. 15).
 * Refused for one member and where the ensemble mean is without error.
 */
export function spreadSkillRatio(members: Members, target: Values, weights?: Values): Scored {
  const width = spread(members, weights);
  if ("refused" in width) return width;
  const mean = ensembleMean(members);
  const error = Math.sqrt(meanOf(mean.length, weights, (i) => (mean[i] - target[i]) * (mean[i] - target[i])));
  if (error === 0) return { refused: "the ensemble mean has no error" };
  return { value: (Math.sqrt((members.E + 1) / members.E) * width.value) / error };
}

/** How many members lie below the target, and how many equal it. */
export function rankOf(members: Values, target: number): { below: number; equal: number } {
  let below = 0;
  let equal = 0;
  for (let e = 0; e < members.length; e++) {
    if (members[e] < target) below++;
    else if (members[e] === target) equal++;
  }
  return { below, equal };
}

/**
 * How many targets have r members below, r = 0 to E. A target equal to k members counts 1/(k+1) in each of the k+1
 * ranks it could take, so that nothing is drawn and no rank is preferred.
 * @returns [E + 1], summing to the number of targets (to the sum of weights)
 */
export function rankHistogram(members: Members, target: Values, weights?: Values): Float64Array {
  const counts = new Float64Array(members.E + 1);
  eachPoint(members, target.length, (values, i) => {
    const { below, equal } = rankOf(values, target[i]);
    const share = (weights ? weights[i] : 1) / (equal + 1);
    for (let r = below; r <= below + equal; r++) counts[r] += share;
  });
  return counts;
}
