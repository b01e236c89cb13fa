/** CRPS of the opponents of probability, which stand beside the model's in `scores.json`. */
import { PROBABLE, type Probable, scatteredCrps } from "./baselines/distributions.js";
import type { Quantity } from "./quantity.js";

/** [weight, empirical, fair] for each opponent */
const WIDTH = 3;

export function dressedQuantity(): Quantity {
  // where some points have no opponent its mean would be of other points than the model's
  const mean = (name: Probable, k: number) => (sums: Float64Array, weight: number) => {
    const at = PROBABLE.indexOf(name) * WIDTH;
    return sums[at] > weight * (1 - 1e-9) ? sums[at + k] / sums[at] : Number.NaN;
  };
  const all = (k: number) => Object.fromEntries(PROBABLE.map((name) => [name, mean(name, k)]));
  return {
    name: "dressed",
    width: PROBABLE.length * WIDTH,
    scores: {},
    beside: { crps: all(1), crps_fair: all(2) },
    visitor({ dressed, target }) {
      return (sums, from, at, std, weight) => {
        if (!dressed) return;
        for (const [i, name] of PROBABLE.entries()) {
          const { centre, scatter } = dressed[name];
          const around = scatter(at);
          if (!around) continue;
          const [empirical, fair] = scatteredCrps(around, centre[at], target[at]);
          const to = from + i * WIDTH;
          sums[to] += weight;
          sums[to + 1] += weight * std * empirical;
          sums[to + 2] += weight * std * fair;
        }
      };
    },
  };
}
