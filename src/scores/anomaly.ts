/** The anomaly correlation coefficient as a stream, for every predictor beside the model. */
import { AtmorepError } from "../errors.js";
import type { Scored } from "./deterministic.js";
import type { Quantity } from "./quantity.js";

/**
 * ACC against a climatology of each grid point: `acc` of the first predictor, `acc_<name>` of the others (Wilks 2019,
 * Eq. 9.99, not centred). What is known to be refused before any batch is refused by `refused`.
 */
export function anomalyQuantity(predictors: readonly string[], refused: string | null): Quantity {
  const nameOf = (p: number) => (p === 0 ? "acc" : `acc_${predictors[p]}`);
  const score =
    (p: number) =>
    (sums: Float64Array): Scored => {
      if (refused !== null) return { refused };
      const scale = Math.sqrt(sums[0] * sums[1 + 2 * p]);
      return scale > 0 ? { value: sums[2 + 2 * p] / scale } : { refused: "an anomaly is zero everywhere" };
    };
  const names = (refused === null ? predictors : predictors.slice(0, 1)).map((_, p) => nameOf(p));
  return {
    name: "anomaly",
    unitless: names,
    // of the targets' anomalies the squares, then of each predictor squares and products
    width: refused === null ? 1 + 2 * predictors.length : 0,
    scores: Object.fromEntries(names.map((name, p) => [name, score(p)])),
    visitor({ target, field, predictions, climatology }) {
      if (refused !== null) return () => {};
      if (climatology?.length !== target.length) {
        throw new AtmorepError("failed", "the climatology is missing or of the wrong length", {
          where: `scores, field ${field}`,
          found: climatology?.length ?? null,
          expected: `${target.length} values`,
        });
      }
      return (sums, from, at, std, weight) => {
        const observed = (target[at] - climatology[at]) * std;
        sums[from] += weight * observed * observed;
        for (const [p, name] of predictors.entries()) {
          const forecast = (predictions[name][at] - climatology[at]) * std;
          sums[from + 1 + 2 * p] += weight * forecast * forecast;
          sums[from + 2 + 2 * p] += weight * forecast * observed;
        }
      };
    },
  };
}
