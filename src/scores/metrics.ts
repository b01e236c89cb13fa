/** Metrics of your own: a number for each point, averaged with the points' weights. */
import { AtmorepError } from "../errors.js";
import type { Quantity } from "./quantity.js";

/** What a metric may look at of one point; all values in physical units except the last. */
export interface MetricPoint {
  /** mean of the members minus target */
  error: number;
  /** unbiased standard deviation of the members; 0 for one */
  spread: number;
  /** members minus target; the next point overwrites it */
  members: ArrayLike<number>;
  /** standard deviation that the point was normalised by: the others divided by it are in normalised units */
  std: number;
}

export interface Metric {
  /** one line for people */
  doc: string;
  /** of one point; what is told is the weighted mean over points */
  fn(point: MetricPoint): number;
  /** applied to that mean, such as `Math.sqrt`; default: the mean itself */
  finish?(mean: number): number;
  /** false (default): in units of the field; true: a pure number */
  unitless?: boolean;
}

const metrics = new Map<string, Metric>();

/** Every registered metric by name. */
export const metricNames = (): Record<string, { doc: string }> => Object.fromEntries(metrics);

/**
 * Adds a metric for `metrics` of a configuration; validation then logs `val. <name>, <field>` and evaluation scores it.
 * Registering a name of one's own again replaces it, as running a notebook cell again does.
 *
 * @example registerMetric("hit_rate", { doc: "share within one unit", unitless: true, fn: ({ error }) => (Math.abs(error) < 1 ? 1 : 0) });
 * @throws AtmorepError `usage` if the name is another score's or is not made of lower-case letters, digits and `_`, or
 *   if the metric lacks its function or its line of doc
 */
export function registerMetric(name: string, metric: Metric): void {
  const where = "scores.register";
  if (!/^[a-z][a-z0-9_]*$/.test(name) || RESERVED.has(name)) {
    throw new AtmorepError("usage", "not a free name for a metric", {
      where,
      found: name,
      expected: "lower-case letters, digits and _, not the name of another score",
    });
  }
  if (typeof metric.fn !== "function" || !metric.doc) {
    throw new AtmorepError("usage", `the metric ${name} is incomplete`, {
      where,
      found: Object.keys(metric).join(", ") || "nothing",
      expected: "fn (a function) and doc (one line)",
    });
  }
  metrics.set(name, metric);
}

const RESERVED = new Set([
  ..."rmse mae bias rmse_normalized mae_normalized bias_normalized crps crps_fair crps_gaussian spread".split(" "),
  ..."spread_skill_ratio rank_histogram zonal_spectrum window_spectrum acc points times blocks kinds note".split(" "),
  ..."brier_minus_1sd brier_mean brier_plus_1sd crps_below_minus_1sd crps_above_plus_1sd".split(" "),
  ..."quantile_10 quantile_50 quantile_90".split(" "),
]);

/**
 * The registered metrics of those names as quantities.
 * @param E members that batches give
 * @throws AtmorepError `config` for an unknown name
 */
export function metricQuantities(names: readonly string[], E: number): Quantity[] {
  return names.map((name): Quantity => {
    const metric = metrics.get(name);
    if (!metric) {
      throw new AtmorepError("config", "unknown metric", {
        where: "metrics",
        found: name,
        expected: [...metrics.keys()].join(", ") || "none is registered",
        fix: "Register it with scores.register before the run starts.",
      });
    }
    return {
      name,
      width: 1,
      unitless: metric.unitless ? [name] : [],
      scores: {
        [name]: (sums, weight) => ({ value: metric.finish ? metric.finish(sums[0] / weight) : sums[0] / weight }),
      },
      visitor({ target, D, predictions, members }) {
        const deviations = new Float64Array(members ? E : 1);
        return (sums, from, at, std, weight) => {
          const first = Math.floor(at / D) * E * D + (at % D);
          let mean = 0;
          for (let e = 0; e < deviations.length; e++) {
            deviations[e] = ((members ? members[first + e * D] : predictions.model[at]) - target[at]) * std;
            mean += deviations[e] / deviations.length;
          }
          let variance = 0;
          for (const deviation of deviations) variance += (deviation - mean) * (deviation - mean);
          const spread = deviations.length > 1 ? Math.sqrt(variance / (deviations.length - 1)) : 0;
          const error = (predictions.model[at] - target[at]) * std;
          sums[from] += weight * metric.fn({ error, spread, members: deviations, std });
        };
      },
    };
  });
}
