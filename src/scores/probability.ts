/**
 * Scores of probabilities, quantiles and tails of E members at one point. All are negatively oriented: lower is better.
 * An event is "the value is `threshold` or more", as in PyPI's `scores`.
 */
import { AtmorepError } from "../errors.js";
import { crpsOf } from "./ensemble.js";

type Values = ArrayLike<number>;

/** How many members reach a threshold. */
export function membersAbove(members: Values, threshold: number): number {
  let above = 0;
  for (let e = 0; e < members.length; e++) if (members[e] >= threshold) above++;
  return above;
}

/**
 * Brier score of the share of members that reach `threshold`: (i/E - o)^2, o = 1 if the target reaches it.
 * @param options `fair`: minus i(E-i)/(E^2(E-1)), so that the expected score does not depend on E (Ferro 2014); of one
 *   member the plain score
 */
export function brierEnsemble(
  members: Values,
  target: number,
  threshold: number,
  { fair = false }: { fair?: boolean } = {},
): number {
  const E = members.length;
  const above = membersAbove(members, threshold);
  const error = above / E - (target >= threshold ? 1 : 0);
  return error * error - (fair && E > 1 ? (above * (E - above)) / (E * E * (E - 1)) : 0);
}

/**
 * Quantile (pinball) score of a forecast of the quantile `level`: level*(t-q) where the target t is above q, else
 * (1-level)*(q-t) (Gneiting 2011, Eq. 24).
 * @throws {AtmorepError} `usage` unless 0 < level < 1
 */
export function quantileScore(quantile: number, target: number, level: number): number {
  if (!(level > 0 && level < 1)) {
    throw new AtmorepError("usage", "not a quantile's level", {
      where: "quantileScore",
      found: level,
      expected: "0 < level < 1",
    });
  }
  return target > quantile ? level * (target - quantile) : (1 - level) * (quantile - target);
}

/** Quantile of members, linear between them (Hyndman and Fan 1996, definition 7; NumPy's default). */
export function ensembleQuantile(members: Values, level: number): number {
  return quantileOfSorted(Float64Array.from(members).sort(), level);
}

/** {@link ensembleQuantile} of members in ascending order. */
export function quantileOfSorted(sorted: Values, level: number): number {
  const place = level * (sorted.length - 1);
  const below = Math.min(Math.floor(place), sorted.length - 1);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}

/** Which side of a threshold counts. */
export type Tail = "above" | "below";

/**
 * Threshold-weighted CRPS: the CRPS that looks at one side of a threshold only, by moving members and target on the
 * other side to it (Gneiting and Ranjan 2011; Allen, Ginsbourger and Ziegel 2023).
 * @param options `fair`: as in {@link crpsFair}
 */
export function crpsTail(
  members: Values,
  target: number,
  threshold: number,
  tail: Tail,
  { fair = false }: { fair?: boolean } = {},
): number {
  const chained = (x: number) => (tail === "above" ? Math.max(x, threshold) : Math.min(x, threshold));
  return crpsOf(Float64Array.from(members, chained), chained(target))[fair ? 1 : 0];
}
