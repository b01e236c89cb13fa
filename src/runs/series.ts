/** The logged series of one optimiser step, by the reference's names. */
import type { PredictedField } from "../config/types.js";
import type { StepResult } from "../step/stepResult.js";
import type { Series } from "./events.js";

/** `training loss`, `gradient loss`, `<loss>, <field>`, `stddev, <field>`; fields without hidden tokens have none. */
export function stepSeries({ total, terms, mse, spread }: StepResult, predicted: readonly PredictedField[]): Series {
  const known = mse.filter((value) => value !== null);
  const series: Series = {
    "training loss": known.reduce((a, b) => a + b, 0) / known.length,
    "gradient loss": total,
  };
  for (const { loss, field, value } of terms) series[`${loss}, ${field}`] = value;
  for (const [p, value] of spread.entries()) if (value !== null) series[`stddev, ${predicted[p].field.name}`] = value;
  return series;
}
