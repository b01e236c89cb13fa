/** What a run predicted, read from its result stores. */
import type { RunReference } from "../../runs/locate.js";
import { type Shown, show } from "../figure/display.js";
import type { Figure } from "../figure/types.js";
import { type PredictionChoice, readHidden, readPrediction } from "../runs/predictions.js";
import * as views from "../views/index.js";

/**
 * Target, prediction, error and spread of one validation sample, in physical units, from a run's result stores.
 * @throws AtmorepError (usage) if the run has none
 * @example await prediction(run, { sample: 0 });
 */
export async function prediction(
  run: RunReference,
  choice: PredictionChoice & views.MapOptions = {},
): Promise<Shown<Figure>> {
  return show(views.predictionFigure(await readPrediction(run, choice), choice));
}

/**
 * The members of the ensemble of one validation sample, as differences from their mean.
 * @example await members(run);
 */
export async function members(
  run: RunReference,
  choice: PredictionChoice & views.MapOptions = {},
): Promise<Shown<Figure>> {
  return show(views.membersFigure((await readPrediction(run, choice)).members, undefined, choice));
}

/**
 * Error over spread, in bins of equal counts: of one validation sample if the choice names it, else of all.
 * @example await spreadSkill(run);
 */
export async function spreadSkill(run: RunReference, choice: PredictionChoice = {}): Promise<Shown<Figure>> {
  const { members: all, target } = await readHidden(run, choice);
  return show(views.spreadSkillFigure(all, target));
}
