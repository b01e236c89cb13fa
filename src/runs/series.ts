/** Names of the logged series, which are the reference's (`val. <metric>, <field>` aside): made and read here only. */
import type { PredictedField } from "../config/types.js";
import type { StepResult } from "../step/stepResult.js";
import type { Series } from "./events.js";

/** Mean squared error of the ensemble mean, over the fields. */
export const TRAINING_LOSS = "training loss";
/** The weighted total. */
export const GRADIENT_LOSS = "gradient loss";
/** Columns of a row of `metrics.jsonl` that are no series. */
const COLUMNS = new Set(["epoch", "step", "samples", "time"]);

/** A loss of a field: `mse, velocity_u`. */
export const termSeries = (loss: string, field: string): string => `${loss}, ${field}`;
/** Standard deviation of a field's members: `stddev, velocity_u`. */
export const spreadSeries = (field: string): string => termSeries("stddev", field);
/** Validation loss, mean over the fields: `val. loss BERT`. */
export const validationLossSeries = (strategy: string): string => `val. loss ${strategy}`;
/** Validation loss of one field: `val., BERT, velocity_u`. */
export const fieldLossSeries = (strategy: string, field: string): string => `val., ${strategy}, ${field}`;
/** A registered metric of one field: `val. hit_rate, velocity_u`. */
export const metricSeries = (metric: string, field: string): string => `val. ${metric}, ${field}`;

/** What a series' name says. */
export type SeriesName =
  | { kind: "total"; field: null }
  | { kind: "term"; loss: string; field: string }
  | { kind: "spread"; field: string }
  | { kind: "validation"; strategy: string; field: string | null }
  | { kind: "metric"; metric: string; field: string };

/** Reads a key of a row of `metrics.jsonl`; null for a column that is no series. */
export function parseSeries(name: string): SeriesName | null {
  if (COLUMNS.has(name)) return null;
  if (name === TRAINING_LOSS || name === GRADIENT_LOSS) return { kind: "total", field: null };
  const loss = /^val\. loss (.+)$/.exec(name);
  if (loss) return { kind: "validation", strategy: loss[1], field: null };
  const ofField = /^val\., ([^,]+), (.+)$/.exec(name);
  if (ofField) return { kind: "validation", strategy: ofField[1], field: ofField[2] };
  const metric = /^val\. ([a-z][a-z0-9_]*), (.+)$/.exec(name);
  if (metric) return { kind: "metric", metric: metric[1], field: metric[2] };
  const at = name.lastIndexOf(", ");
  if (at < 0) return { kind: "total", field: null };
  const [term, field] = [name.slice(0, at), name.slice(at + 2)];
  return term === "stddev" ? { kind: "spread", field } : { kind: "term", loss: term, field };
}

/** True for what a validation logs: losses and registered metrics. */
export function isValidationSeries(name: string): boolean {
  const kind = parseSeries(name)?.kind;
  return kind === "validation" || kind === "metric";
}

/** Keys of some rows of `metrics.jsonl` that are what validations log, in the order of logging. */
export const validationColumns = (rows: readonly object[]): string[] =>
  [...new Set(rows.flatMap((row) => Object.keys(row)))].filter(isValidationSeries);

/** The series of one optimiser step; fields without hidden tokens have none. */
export function stepSeries({ total, terms, mse, spread }: StepResult, predicted: readonly PredictedField[]): Series {
  const known = mse.filter((value) => value !== null);
  const series: Series = {
    [TRAINING_LOSS]: known.reduce((a, b) => a + b, 0) / known.length,
    [GRADIENT_LOSS]: total,
  };
  for (const { loss, field, value } of terms) series[termSeries(loss, field)] = value;
  for (const [p, value] of spread.entries()) if (value !== null) series[spreadSeries(predicted[p].field.name)] = value;
  return series;
}

/** The losses of one validation: their mean, then field by field. */
export function validationSeries(strategy: string, loss: number, losses: Readonly<Record<string, number>>): Series {
  const fields = Object.entries(losses).map(([field, value]) => [fieldLossSeries(strategy, field), value] as const);
  return { [validationLossSeries(strategy)]: loss, ...Object.fromEntries(fields) };
}

/** The validation loss of a row of `metrics.jsonl`, mean over the fields; null for rows of steps. */
export function validationLoss(row: Readonly<Record<string, unknown>>): number | null {
  for (const [name, value] of Object.entries(row)) {
    const series = parseSeries(name);
    if (series?.kind === "validation" && series.field === null && typeof value === "number") return value;
  }
  return null;
}
