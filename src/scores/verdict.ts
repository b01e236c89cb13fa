/** Who wins, the model or the best simple baseline, in one sentence and in physical units. */
import type { ScoreAccumulator } from "./accumulate.js";
import { minusBest, minusRidge } from "./intervals/compare.js";
import type { IntervalOptions, PairedTest } from "./intervals/intervals.js";
import { type ScoreRow, type Selection, scoreRow, selectTimes } from "./summary.js";

export interface VerdictOptions {
  /** what to compare; a field needs no more. Default: every level and lead, region global, every kind of token */
  select?: readonly (Partial<Selection> & { field: string })[];
  /** field -> physical unit, such as "m/s" */
  units?: Readonly<Record<string, string>>;
  interval?: IntervalOptions;
}

/**
 * `beats` and `loses` where the interval of the difference leaves zero out, or where there are too few blocks to tell:
 * the sentence then says so. `not apart` is neither: the two cannot be told apart.
 */
export type Outcome = "beats" | "loses" | "not apart";

/** One field's comparison. */
export interface FieldVerdict {
  row: ScoreRow;
  /** the baseline of lowest RMSE on these points */
  best: string;
  /** RMSE in physical units */
  model: number;
  baseline: number;
  /** 1 - model/baseline in mean squares; 0 equal, negative: the model loses */
  skill: number;
  /** the model's RMSE is the lower one, sure or not */
  wins: boolean;
  outcome: Outcome;
  paired: PairedTest;
  /** beside it, whoever wins: ridge regression, where it was fitted */
  ridge: { rmse: number; paired: PairedTest } | null;
  sentence: string;
}

export interface Verdict {
  fields: FieldVerdict[];
  /** fields in which the model beats every baseline */
  won: number;
  sentence: string;
}

/** Digits that tell two scores apart without drowning the reader: three significant ones. */
export function formatScore(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const text = value.toPrecision(3);
  return text.includes("e") ? String(Number(text)) : text;
}

const words = (name: string): string => name.replaceAll("_", " ");

type Compared = Omit<FieldVerdict, "sentence"> & { unit: string };

/** `; ridge regression, fitted to the training period, 5.69 m/s (the model 41 % more; ...)`; empty where there is none. */
function besideRidge({ model, ridge, unit }: Compared): string {
  if (ridge === null) return "";
  const percent = formatScore(Math.abs(100 * (1 - model / ridge.rmse)));
  const how = `the model ${percent} % ${model < ridge.rmse ? "less" : "more"}; ${sureness({ model, paired: ridge.paired, unit })}`;
  return `; ridge regression, fitted to the training period, ${formatScore(ridge.rmse)}${unit} (${how})`;
}

/** The interval in the field's unit, or why there is none to quote. */
function sureness({ model, paired, unit }: Pick<Compared, "model" | "paired" | "unit">): string {
  if (Number.isNaN(model)) return "the model's RMSE is not a number";
  if (!paired.tooFew) {
    return `95 % of the difference ${formatScore(paired.low)} to ${formatScore(paired.high)}${unit}, ${paired.blocks} blocks`;
  }
  return `too few to tell whether that holds: ${paired.blocks} independent ${paired.blocks === 1 ? "block" : "blocks"}`;
}

function outcomeOf(paired: PairedTest): Outcome {
  if (!(paired.tooFew || paired.significant) || !(Math.abs(paired.value) > 0)) return "not apart";
  return paired.value < 0 ? "beats" : "loses";
}

function fieldSentence(compared: Compared): string {
  const { row, best, model, baseline, wins, outcome, unit } = compared;
  const where = row.level === "all" || row.level === 0 ? row.field : `${row.field} at level ${row.level}`;
  const percent = `${formatScore(Math.abs(100 * (1 - model / baseline)))} % ${wins ? "less" : "more"}; `;
  const differ = Math.abs(model - baseline) > 0;
  const numbers = `RMSE ${formatScore(model)} against ${formatScore(baseline)}${unit} (${differ ? percent : ""}${sureness(compared)})${besideRidge(compared)}`;
  const opponent = `the best simple baseline, ${words(best)},`;
  if (outcome === "not apart") return `The model and ${opponent} cannot be told apart in ${where}: ${numbers}.`;
  return `The model ${outcome === "beats" ? "beats" : "loses to"} ${opponent} in ${where}: ${numbers}.`;
}

function judge(accumulator: ScoreAccumulator, selection: Selection, options: VerdictOptions): Compared | null {
  const row = scoreRow(accumulator, selection);
  if (!row) return null;
  const series = selectTimes(accumulator.cells(), selection);
  const found = minusBest(accumulator, series, options.interval);
  if (!found) return null;
  const regression = minusRidge(accumulator, series, options.interval);
  const { baseline: best, paired } = found;
  const model = row.scores[accumulator.options.predictors[0]].rmse;
  const baseline = row.scores[best].rmse;
  const ratio = model / baseline;
  const unit = options.units?.[selection.field];
  return {
    row,
    best,
    model,
    baseline,
    skill: 1 - ratio * ratio,
    wins: model < baseline,
    outcome: outcomeOf(paired),
    paired,
    ridge: regression && { rmse: row.scores[regression.baseline].rmse, paired: regression.paired },
    unit: unit ? ` ${unit}` : "",
  };
}

function overall(fields: readonly Compared[]): string {
  if (fields.length === 0) return "There is nothing to compare: no hidden point counts, or no baseline was given.";
  if (fields.length === 1) return fieldSentence(fields[0]);
  const list = (outcome: Outcome) =>
    fields
      .filter((field) => field.outcome === outcome)
      .map((field) => {
        const { row, model, baseline, best, unit } = field;
        const regression = field.ridge ? `, ridge ${formatScore(field.ridge.rmse)}${unit}` : "";
        const numbers = `${formatScore(model)} against ${formatScore(baseline)}${unit} of ${words(best)}${regression}`;
        return `${row.field} ${numbers} (${sureness(field)})`;
      });
  const [won, lost, open] = [list("beats"), list("loses"), list("not apart")];
  const all = fields.length;
  const share = (some: string[]) =>
    some.length === all
      ? `in every field: ${some.join(", ")}`
      : `in ${some.length} of ${all} fields: ${some.join(", ")}`;
  const parts = [
    ...(won.length > 0 ? [`beats the best simple baseline ${share(won)}`] : []),
    ...(lost.length > 0 ? [`loses to ${won.length > 0 ? "it" : "the best simple baseline"} ${share(lost)}`] : []),
  ];
  if (parts.length === 0) return `The model and the best simple baseline cannot be told apart ${share(open)}.`;
  const rest = open.length > 0 ? [`the two cannot be told apart ${share(open)}`] : [];
  return `The model ${[...parts, ...rest].join("; ")}.`;
}

/**
 * Compares the first predictor with the best of the others, field by field.
 * A NaN is told apart from nothing; fields without a counting point are left out.
 */
export function verdict(accumulator: ScoreAccumulator, options: VerdictOptions = {}): Verdict {
  const names = [...new Set(accumulator.cells().map((c) => c.field))];
  const select = options.select ?? names.map((field) => ({ field }));
  const region = accumulator.options.regions?.[0]?.name ?? "global";
  const compared = select
    .map((s) => judge(accumulator, { level: "all", lead: "all", region, kind: "all", ...s }, options))
    .filter((field) => field !== null);
  const fields = compared.map(({ unit: _, ...field }) => ({
    ...field,
    sentence: fieldSentence({ ...field, unit: _ }),
  }));
  return { fields, won: fields.filter(({ outcome }) => outcome === "beats").length, sentence: overall(compared) };
}
