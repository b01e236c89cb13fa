/** Scores of the model's members as a stream: CRPS in three forms, spread, spread-skill ratio, rank histogram. */
import type { Scored } from "./deterministic.js";
import { crpsGaussian, crpsOf, rankOf } from "./ensemble.js";
import { memberReader, type PointBatch, perWeight, type Quantity } from "./quantity.js";

const SUM = { gaussian: 0, ensemble: 1, fair: 2, variance: 3, squares: 4, ranks: 5 } as const;

/** Where the weights of ranks 0 to E begin among the numbers of {@link ensembleQuantity}. */
export const RANKS_AT = SUM.ranks;

const ONE_MEMBER = "one member has no spread";

/**
 * Scores of E members. Their names: `crps` (of the members' empirical distribution), `crps_fair`, `crps_gaussian` (of
 * their mean and unbiased standard deviation), `spread` (root of the mean unbiased variance), `spread_skill_ratio`
 * (Fortin et al. 2014, Eq. 15); counts: `rank_histogram` [E + 1], weighted as the points are.
 */
export function ensembleQuantity(E: number): Quantity {
  const ofSeveral =
    (score: (sums: Float64Array, weight: number) => Scored) =>
    (sums: Float64Array, weight: number): Scored =>
      E < 2 ? { refused: ONE_MEMBER } : score(sums, weight);
  return {
    name: "ensemble",
    width: SUM.ranks + E + 1,
    visitor: (batch) => visitor(batch, E),
    scores: {
      crps: perWeight(SUM.ensemble),
      crps_fair: perWeight(SUM.fair),
      crps_gaussian: ofSeveral(perWeight(SUM.gaussian)),
      spread: ofSeveral((sums, weight) => ({ value: Math.sqrt(sums[SUM.variance] / weight) })),
      spread_skill_ratio: ofSeveral((sums) =>
        sums[SUM.squares] > 0
          ? { value: Math.sqrt(((E + 1) / E) * (sums[SUM.variance] / sums[SUM.squares])) }
          : { refused: "the ensemble mean has no error" },
      ),
    },
    unitless: ["spread_skill_ratio"],
    positive: ["crps", "crps_gaussian", "spread", "spread_skill_ratio"],
    counts: E < 2 ? {} : { rank_histogram: (sums) => [...sums.subarray(SUM.ranks, SUM.ranks + E + 1)] },
  };
}

function visitor(batch: PointBatch, E: number) {
  const read = memberReader(batch, E);
  const { target } = batch;
  const values = new Float64Array(E);
  return (sums: Float64Array, from: number, at: number, std: number, weight: number) => {
    const mean = read(at, values);
    const truth = target[at];
    let variance = 0;
    for (let e = 0; e < E; e++) variance += (values[e] - mean) * (values[e] - mean);
    if (E > 1) variance /= E - 1;
    const error = mean - truth;
    const [empirical, fair] = crpsOf(values, truth);
    sums[from + SUM.gaussian] += weight * std * crpsGaussian(mean, Math.sqrt(variance), truth);
    sums[from + SUM.ensemble] += weight * std * empirical;
    sums[from + SUM.fair] += weight * std * fair;
    sums[from + SUM.variance] += weight * std * std * variance;
    sums[from + SUM.squares] += weight * std * std * error * error;
    const { below, equal } = rankOf(values, truth);
    for (let r = below; r <= below + equal; r++) sums[from + SUM.ranks + r] += weight / (equal + 1);
  };
}
