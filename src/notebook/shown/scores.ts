/** Scores of validations and evaluations. */
import { displayUnit } from "../../data/units.js";
import { cardTable, readScoreCard, type StoredCard } from "../../evaluation/readCard.js";
import type { FieldSkill } from "../../runs/events.js";
import type { RunReference } from "../../runs/locate.js";
import type { CalibrationReport, CardOptions, ScoreReport } from "../../scores/index.js";
import { displayed, figureBundle, type Shown, show } from "../figure/display.js";
import { showTable, type Table } from "../figure/table.js";
import { fieldTitle, levelTitle } from "../figure/text.js";
import type { Figure } from "../figure/types.js";
import { type PredictionChoice, readHidden, readPrediction } from "../runs/predictions.js";
import { evaluationScores, skillTable } from "../tables.js";
import * as views from "../views/index.js";
import { chosenScores, type ScoreChoice } from "../views/scores.js";

/** What `evaluate` and `scoreResults` return, as far as figures read it. */
export interface Scored {
  scores: ScoreReport;
  about?: Record<string, unknown>;
  /** of `evaluate` alone */
  calibration?: CalibrationReport | null;
}

/**
 * How often what was forecast with a probability came to be, before and after post-hoc calibration, with the bars in
 * which a reliable forecast lies in 95 of 100 cases.
 * @throws AtmorepError (usage) for a field or level that is not there, or an evaluation of one member
 * @example reliability(await atmorep.evaluate("ab12cd34"));
 */
export function reliability(evaluation: Scored, choice: views.CalibrationChoice = {}): Shown<Figure> {
  const { report, ...chosen } = calibrationOf(evaluation, choice);
  return show(views.reliabilityFigure(report, chosen));
}

/**
 * Ranks of the target among the raw members, and its place in the calibrated distributions, each with the bars of a flat
 * histogram.
 * @throws AtmorepError (usage) for a field or level that is not there, or an evaluation of one member
 * @example calibrationRanks(await atmorep.evaluate("ab12cd34"));
 */
export function calibrationRanks(evaluation: Scored, choice: views.CalibrationChoice = {}): Shown<Figure> {
  const { report, ...chosen } = calibrationOf(evaluation, choice);
  return show(views.calibrationRanksFigure(report, chosen));
}

/**
 * Error of the mean by spread over a whole evaluation, before and after post-hoc calibration.
 * @throws AtmorepError (usage) for a field or level that is not there, or an evaluation of one member
 * @example spreadError(await atmorep.evaluate("ab12cd34"));
 */
export function spreadError(evaluation: Scored, choice: views.CalibrationChoice = {}): Shown<Figure> {
  const { report, ...chosen } = calibrationOf(evaluation, choice);
  return show(views.spreadErrorFigure(report, chosen, displayUnit(chosen.field).unit));
}

function calibrationOf({ calibration }: Scored, choice: views.CalibrationChoice) {
  const { field } = views.chosenCalibration(calibration, choice);
  return { report: calibration!, ...choice, field };
}

/** A score card that draws itself. */
export interface ShownCard extends StoredCard {
  figure: Figure;
  /** every cell with its interval and p values; shows itself where it ends a cell */
  table: Shown<Table>;
}

/**
 * Score card of evaluations at the same times: fields, levels and lead times, each run against the first and against its
 * baselines, with what is significant after correction for the number of cells.
 * @param evaluations ids of evaluations, what `evaluate` returns, or ids of runs with one evaluation each
 * @param options `score` (default `rmse`), `region`, `falseDiscovery`, `all` baselines, `out` folder
 * @throws AtmorepError (usage) if one is not there, or if they do not share times and points (naming what differs)
 * @example await scoreCard(["ij90kl12", "mn34op56"], { score: "crps" });
 */
export async function scoreCard(
  evaluations: readonly RunReference[],
  options: CardOptions & { all?: boolean; out?: string } = {},
): Promise<Shown<ShownCard>> {
  const { all = false, out, ...choice } = options;
  const card = await readScoreCard(evaluations, out, choice);
  const figure = views.scoreCardFigure(card, card.hoursPerLeadStep, all);
  const [[columns, ...rows]] = cardTable(card, all);
  const shown = all ? card.comparisons : views.shownComparisons(card);
  const caption = shown.map((comparison) => views.comparisonSummary(comparison, card.falseDiscovery)).join(" ");
  const table = showTable({ title: figure.title, columns, rows, caption });
  return displayed({ ...card, figure, table }, () => figureBundle(figure));
}

/**
 * Where the target stands among the members: of the hidden points of a run's result stores (one sample if the choice
 * names it), or over a whole evaluation.
 * @example await ranks(evaluation);
 */
export async function ranks(
  run: RunReference | Scored,
  choice: Omit<PredictionChoice, "level"> & ScoreChoice = {},
): Promise<Shown<Figure>> {
  if (typeof run !== "string" && "scores" in run) {
    const { name, region, all } = chosenScores(run.scores, choice);
    return show(views.rankSharesFigure(all, `Rank histogram: ${fieldTitle(name)}, ${region}`));
  }
  const level = choice.level === "all" ? undefined : choice.level;
  const { members: all, target } = await readHidden(run, { ...choice, level });
  return show(views.rankFigure(all, target));
}

/**
 * Zonal power spectra of target and prediction: of one sample of a run whose window goes around the globe, or of an
 * evaluation in a global mode.
 * @throws AtmorepError (usage) for a regional window
 * @example await spectra(run);
 */
export async function spectra(
  run: RunReference | Scored,
  choice: PredictionChoice & { lead?: number } = {},
): Promise<Shown<Figure>> {
  if (typeof run !== "string" && "scores" in run) {
    const { name, level, lead, model, target } = views.scoredSpectra(run.scores, choice);
    const entries = [
      { name: "target", power: target },
      { name: "forecast", power: model },
    ];
    const title = `Zonal power: ${fieldTitle(name)}, ${levelTitle(level)}, lead ${lead}`;
    return show(views.powerFigure(title, entries, displayUnit(name).unit));
  }
  const { target, prediction: predicted } = await readPrediction(run, choice);
  return show(
    views.spectraFigure([
      { name: "target", grid: target },
      { name: "prediction", grid: predicted },
    ]),
  );
}

/**
 * Variance by scale in the windows of an evaluation, forecast beside target, for windows that do not go around the globe.
 * @throws AtmorepError (usage) where no window was filled, such as with tokens hidden at random
 * @example windowSpectra(await atmorep.evaluate("ab12cd34", { mode: "forecast" }));
 */
export function windowSpectra(evaluation: Scored, choice: ScoreChoice = {}): Shown<Figure> {
  const field = choice.field ?? Object.keys(evaluation.scores)[0];
  return show(views.windowSpectrumFigure(evaluation.scores, choice, displayUnit(field).unit));
}

/**
 * A score over lead time with its interval, the baselines beside it.
 * @throws AtmorepError (usage) for a field, level, region or score that is not there
 * @example leads(evaluation, { score: "crps" });
 */
export function leads(evaluation: Scored, choice: ScoreChoice & { score?: string } = {}): Shown<Figure> {
  const hours = evaluation.about?.hours_per_lead_step;
  return show(views.leadFigure(evaluation.scores, choice, typeof hours === "number" ? hours : null));
}

/**
 * A score of each level, lead time and region with its interval, the best baseline beside it.
 * @throws AtmorepError (usage) for a field or region that is not there
 * @example intervals(evaluation, { score: "crps" });
 */
export function intervals(
  evaluation: Scored,
  choice: Omit<ScoreChoice, "level"> & { score?: string } = {},
): Shown<Figure> {
  const hours = evaluation.about?.hours_per_lead_step;
  return show(views.intervalsFigure(evaluation.scores, choice, typeof hours === "number" ? hours : null));
}

/**
 * Scores of the model and the baselines: of a validation, or of an evaluation with intervals.
 * @example scores(run.finished.skill);
 */
export function scores(skill: readonly FieldSkill[] | Scored): Shown<Table> {
  return showTable("scores" in skill ? evaluationScores(skill) : skillTable(skill));
}
