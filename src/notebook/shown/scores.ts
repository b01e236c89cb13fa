/** Scores of validations and evaluations. */
import { displayUnit } from "../../data/units.js";
import type { FieldSkill } from "../../runs/events.js";
import type { RunReference } from "../../runs/locate.js";
import type { ScoreReport } from "../../scores/index.js";
import { type Shown, show } from "../figure/display.js";
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
 * A score over lead time with its interval, the baselines beside it.
 * @throws AtmorepError (usage) for a field, level, region or score that is not there
 * @example leads(evaluation, { score: "crps" });
 */
export function leads(evaluation: Scored, choice: ScoreChoice & { score?: string } = {}): Shown<Figure> {
  const hours = evaluation.about?.hours_per_lead_step;
  return show(views.leadFigure(evaluation.scores, choice, typeof hours === "number" ? hours : null));
}

/**
 * Scores of the model and the baselines: of a validation, or of an evaluation with intervals.
 * @example scores(run.finished.skill);
 */
export function scores(skill: readonly FieldSkill[] | Scored): Shown<Table> {
  return showTable("scores" in skill ? evaluationScores(skill) : skillTable(skill));
}
