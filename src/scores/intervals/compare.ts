/** The model against the best of the baselines: one test for the tables, `scores.json` and the verdict. */
import type { ScoreAccumulator } from "../accumulate.js";
import { rootMeanSquare, type selectTimes, squaresOf, totalOf } from "../summary.js";
import { type IntervalOptions, type PairedTest, pairedTest } from "./intervals.js";

export interface MinusBest {
  /** the simple baseline of lowest RMSE on these points, or the regression */
  baseline: string;
  /** RMSE of the model minus that of the baseline, in physical units */
  paired: PairedTest;
}

/**
 * A regression of a hundred coefficients a map is no simple baseline but another model: it is told beside the best of the
 * simple ones, whoever wins.
 */
export const REGRESSION = "ridge";

/** Tests the first predictor against the regression; null where it was not fitted. */
export function minusRidge(
  accumulator: ScoreAccumulator,
  series: ReturnType<typeof selectTimes>,
  options: IntervalOptions = {},
): MinusBest | null {
  const at = accumulator.options.predictors.indexOf(REGRESSION);
  return at < 1 ? null : against(accumulator, series, at, options);
}

/**
 * Tests the first predictor against the best of the simple ones among the others; null if there are none.
 * The best is chosen on the same times that it is tested on, which favours it where several are about as good.
 */
export function minusBest(
  accumulator: ScoreAccumulator,
  series: ReturnType<typeof selectTimes>,
  options: IntervalOptions = {},
): MinusBest | null {
  const { predictors } = accumulator.options;
  const simple = predictors.flatMap((name, p) => (p > 0 && name !== REGRESSION ? [p] : []));
  if (simple.length === 0) return null;
  const total = totalOf(series);
  const rmse = predictors.map((_, p) => rootMeanSquare(squaresOf({ ...series, sums: [total] }, p).sums[0]));
  return against(
    accumulator,
    series,
    simple.reduce((a, p) => (rmse[p] < rmse[a] ? p : a)),
    options,
  );
}

function against(
  accumulator: ScoreAccumulator,
  series: ReturnType<typeof selectTimes>,
  p: number,
  options: IntervalOptions,
): MinusBest {
  const paired = pairedTest(squaresOf(series, 0), squaresOf(series, p), rootMeanSquare, {
    span: accumulator.span(),
    ...options,
  });
  return { baseline: accumulator.options.predictors[p], paired };
}
