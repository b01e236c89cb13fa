/** Who wins, the model or the best simple baseline, in one sentence and in physical units. */
import type { ScoreAccumulator } from "./accumulate.js";
import { type BootstrapOptions, type PairedTest, pairedBootstrap } from "./bootstrap.js";
import { rootMeanSquare, type ScoreRow, type Selection, scoreRow, selectTimes, squaresOf } from "./summary.js";

export interface VerdictOptions {
  /** what to compare; a field needs no more. Default: every level and lead, region global, every kind of token */
  select?: readonly (Partial<Selection> & { field: string })[];
  /** field -> physical unit, such as "m/s" */
  units?: Readonly<Record<string, string>>;
  bootstrap?: BootstrapOptions;
}

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
  wins: boolean;
  paired: PairedTest;
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

function fieldSentence(verdict: Omit<FieldVerdict, "sentence">, unit: string): string {
  const { row, best, model, baseline, wins, paired } = verdict;
  const where = row.level === "all" || row.level === 0 ? row.field : `${row.field} at level ${row.level}`;
  const numbers = `RMSE ${formatScore(model)} against ${formatScore(baseline)}${unit}`;
  const percent = `${formatScore(Math.abs(100 * (1 - model / baseline)))} % ${wins ? "less" : "more"}`;
  const act = wins ? "beats" : model === baseline ? "draws with" : "loses to";
  const sure = paired.tooFew
    ? `too few to tell whether that holds: ${paired.blocks} independent ${paired.blocks === 1 ? "block" : "blocks"}`
    : `95 % of the difference ${formatScore(paired.low)} to ${formatScore(paired.high)}, ${paired.blocks} blocks`;
  return `The model ${act} the best simple baseline, ${words(best)}, in ${where}: ${numbers} (${percent}; ${sure}).`;
}

function judge(accumulator: ScoreAccumulator, selection: Selection, options: VerdictOptions): FieldVerdict | null {
  const row = scoreRow(accumulator, selection);
  const [model, ...baselines] = accumulator.options.predictors;
  if (!row || baselines.length === 0) return null;
  const rmse = (name: string) => row.scores[name].rmse;
  const best = baselines.reduce((a, b) => (rmse(b) < rmse(a) ? b : a));
  const times = selectTimes(accumulator.cells(), selection);
  const paired = pairedBootstrap(
    squaresOf(times, 0),
    squaresOf(times, accumulator.options.predictors.indexOf(best)),
    rootMeanSquare,
    options.bootstrap,
  );
  const ratio = rmse(model) / rmse(best);
  // A NaN of the model compares false and so counts as a loss.
  const wins = rmse(model) < rmse(best);
  const verdict = { row, best, model: rmse(model), baseline: rmse(best), skill: 1 - ratio * ratio, wins, paired };
  const unit = options.units?.[selection.field];
  return { ...verdict, sentence: fieldSentence(verdict, unit ? ` ${unit}` : "") };
}

function overall(fields: FieldVerdict[], won: number): string {
  if (fields.length === 0) return "There is nothing to compare: no hidden point counts, or no baseline was given.";
  if (fields.length === 1) return fields[0].sentence;
  const name = ({ row, best, model, baseline }: FieldVerdict) =>
    `${row.field} ${formatScore(model)} against ${formatScore(baseline)} of ${words(best)}`;
  const list = (wins: boolean) =>
    fields
      .filter((f) => f.wins === wins)
      .map(name)
      .join(", ");
  const blocks = Math.min(...fields.map((f) => f.paired.blocks));
  const sure = fields.some((f) => f.paired.tooFew)
    ? ` Too few to tell whether that holds: ${blocks} independent blocks.`
    : "";
  if (won === fields.length) return `The model beats the best simple baseline in every field: ${list(true)}.${sure}`;
  if (won === 0) return `The model loses to the best simple baseline in every field: ${list(false)}.${sure}`;
  return `The model beats the best simple baseline in ${won} of ${fields.length} fields (${list(true)}) and loses in ${list(false)}.${sure}`;
}

/**
 * Compares the first predictor with the best of the others, field by field.
 * A draw or a NaN is no win; fields without a counting point are left out.
 */
export function verdict(accumulator: ScoreAccumulator, options: VerdictOptions = {}): Verdict {
  const names = [...new Set(accumulator.cells().map((c) => c.field))];
  const select = options.select ?? names.map((field) => ({ field }));
  const region = accumulator.options.regions?.[0]?.name ?? "global";
  const fields = select
    .map((s) => judge(accumulator, { level: "all", lead: "all", region, kind: "all", ...s }, options))
    .filter((f) => f !== null);
  const won = fields.filter((f) => f.wins).length;
  return { fields, won, sentence: overall(fields, won) };
}
