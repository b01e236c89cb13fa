/** The model against the best of the baselines: one test for the tables, `scores.json` and the verdict. */
import type { ScoreAccumulator } from "../accumulate.js";
import { rootMeanSquare, type selectTimes, squaresOf, totalOf } from "../summary.js";
import { type IntervalOptions, type PairedTest, pairedTest } from "./intervals.js";

export interface MinusBest {
  /** the baseline of lowest RMSE on these points */
  baseline: string;
  /** RMSE of the model minus that of the baseline, in physical units */
  paired: PairedTest;
}

/**
 * Tests the first predictor against the best of the others; null if there are no others.
 * The best is chosen on the same times that it is tested on, which favours it where several are about as good.
 */
export function minusBest(
  accumulator: ScoreAccumulator,
  series: ReturnType<typeof selectTimes>,
  options: IntervalOptions = {},
): MinusBest | null {
  const [, ...baselines] = accumulator.options.predictors;
  if (baselines.length === 0) return null;
  const squares = accumulator.options.predictors.map((_, p) => squaresOf({ ...series, sums: [totalOf(series)] }, p));
  const rmse = squares.map(({ sums: [sum] }) => rootMeanSquare(sum));
  const best = baselines.reduce((a, _, i) => (rmse[i + 1] < rmse[a] ? i + 1 : a), 1);
  const paired = pairedTest(squaresOf(series, 0), squaresOf(series, best), rootMeanSquare, {
    span: accumulator.span(),
    ...options,
  });
  return { baseline: baselines[best - 1], paired };
}
