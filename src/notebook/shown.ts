/** The display calls: each takes what a notebook has at hand and ends a cell with a figure or a table. */

import type { Prepared } from "../batches/prepare.js";
import type { ResolvedConfig } from "../config/resolve.js";
import type { Field, RunConfig, Strategy } from "../config/types.js";
import { usualStep } from "../data/sampling.js";
import type { Store } from "../data/store.js";
import { HOUR_NS } from "../data/time.js";
import { displayUnit } from "../data/units.js";
import { AtmorepError } from "../errors.js";
import { createMaskGenerators, maskBatch, maskingSummary } from "../masking/index.js";
import type { AttentionMap } from "../prediction/attentionMaps.js";
import type { FieldSkill } from "../runs/events.js";
import { runFolder } from "../runs/folder.js";
import { readRun } from "../runs/list.js";
import { type RunReference, runPlace } from "../runs/locate.js";
import { readMetrics } from "../runs/metrics.js";
import type { WeightTag } from "../runs/weightFiles.js";
import type { ScoreReport } from "../scores/index.js";
import { type Shown, show } from "./figure/display.js";
import { showTable, type Table } from "./figure/table.js";
import { fieldTitle, levelTitle } from "./figure/text.js";
import type { Figure } from "./figure/types.js";
import { batchGrids, chosenField, type GridChoice, storeGrid } from "./grids.js";
import { type PredictionChoice, readHidden, readPrediction } from "./runs/predictions.js";
import { batchTable, type ConfigTableOptions, configTable, evaluationScores, skillTable } from "./tables.js";
import * as views from "./views/index.js";
import { chosenScores, type ScoreChoice } from "./views/scores.js";

/**
 * A field of a store on the map at one time.
 * @param time an index, or an ISO time of the store
 * @throws AtmorepError (config) for an unknown field, level or time
 * @example await map(store, "mean_sea_level_pressure", 0, "1996-01-08");
 */
export async function map(store: Store, field: string, level: number, time: number | string): Promise<Shown<Figure>> {
  return show(views.mapFigure(await storeGrid(store, field, level, time)));
}

/**
 * When the store has values, which of them train and which validate, and how far these lie apart.
 * @example timeline(store, config);
 */
export function timeline(store: Store, config: RunConfig): Shown<Figure> {
  return show(
    views.timelineFigure(views.timelineRows(store, config), Number(usualStep(store.times)) / Number(HOUR_NS)),
  );
}

export interface BatchOptions extends GridChoice {
  /** `true`: the values; `seen`: what the network sees */
  values?: "true" | "seen";
  /** a slider over all time steps in place of small multiples */
  slider?: boolean;
  /** panels at most; evenly spaced time steps are taken */
  panels?: number;
}

/**
 * One sample of a batch on the map: small multiples over time, or a slider.
 * @example await batch(prepared, { sample: 0, values: "seen" });
 */
export async function batch(prepared: Prepared, options: BatchOptions = {}): Promise<Shown<Figure>> {
  const { values = "true", slider = false, panels = 6 } = options;
  const grids = await batchGrids(prepared, options, values);
  const [{ field, level, unit }] = grids;
  const what = values === "true" ? "values" : "what the network sees";
  const title = `${fieldTitle(field)}, ${levelTitle(level)} (${unit}): ${what}, sample ${options.sample ?? 0}`;
  if (slider) return show(views.sliderFigure(title, grids));
  const count = Math.min(panels, grids.length);
  const step = (k: number) => (count === 1 ? 0 : Math.round((k * (grids.length - 1)) / (count - 1)));
  return show(
    views.multiplesFigure(
      title,
      Array.from({ length: count }, (_, k) => grids[step(k)]),
    ),
  );
}

/**
 * The tokens of one sample, numbered, over its map.
 * @example await tokens(prepared);
 */
export async function tokens(prepared: Prepared, choice: GridChoice = {}): Promise<Shown<Figure>> {
  const { field } = chosenField(prepared, choice);
  return show(views.tokenGridFigure(field, await batchGrids(prepared, choice)));
}

export interface MasksOptions extends Pick<GridChoice, "field" | "sample"> {
  /** strategies side by side; default the configuration's own */
  strategies?: readonly Strategy[];
}

/**
 * What each strategy hides of the same batch: masked, noised, coarsened, untouched, over time and level.
 * @throws AtmorepError (config) for a strategy whose settings do not fit the configuration
 * @example masks(prepared, { strategies: ["BERT", "forecast", "temporal_interpolation"] });
 */
export function masks(prepared: Prepared, options: MasksOptions = {}): Shown<Figure> {
  const { config, fields, cube } = prepared;
  const { field, sample } = chosenField(prepared, options);
  const entries = (options.strategies ?? [config.BERT_strategy]).map((strategy) => {
    const own = { ...config, BERT_strategy: strategy };
    const { fields: masked } = maskBatch(cube, fields, own, createMaskGenerators(own, fields));
    return { title: strategy.replaceAll("_", " "), field, masked: masked[field.index], sample };
  });
  return show(views.masksFigure(entries));
}

/**
 * Shares that masking realises over many draws, and which neighbours of hidden tokens stay visible.
 * @example maskSummary(config, 50);
 */
export function maskSummary(config: RunConfig, draws = 20): Shown<Figure> {
  return show(views.maskSummaryFigure(maskingSummary(config, draws)));
}

/**
 * Target, prediction, error and spread of one validation sample, in physical units, from a run's result stores.
 * @throws AtmorepError (usage) if the run has none
 * @example await prediction(run, { sample: 0 });
 */
export async function prediction(run: RunReference, choice: PredictionChoice = {}): Promise<Shown<Figure>> {
  return show(views.predictionFigure(await readPrediction(run, choice)));
}

/**
 * The members of the ensemble of one validation sample, as differences from their mean.
 * @example await members(run);
 */
export async function members(run: RunReference, choice: PredictionChoice = {}): Promise<Shown<Figure>> {
  return show(views.membersFigure((await readPrediction(run, choice)).members));
}

/**
 * Error over spread, in bins of equal counts: of one validation sample if the choice names it, else of all.
 * @example await spreadSkill(run);
 */
export async function spreadSkill(run: RunReference, choice: PredictionChoice = {}): Promise<Shown<Figure>> {
  const { members: all, target } = await readHidden(run, choice);
  return show(views.spreadSkillFigure(all, target));
}

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
 * Attention weights, one panel a head.
 * @example attention([{ title: "layer 0, head 0", values, queries: 36, keys: 36 }]);
 */
export function attention(matrices: readonly views.AttentionMatrix[], title = "Attention weights"): Shown<Figure> {
  return show(views.attentionFigure(title, matrices));
}

/**
 * Where one token of a sample looks, on the map: the mean over the given heads, a panel a time token and level.
 * @param maps of `LoadedModel.attention`, all of one field and key field, over all tokens
 * @param choice.query `l*N + n` of the token; default the first hidden one
 * @throws AtmorepError (usage) for axial or mixed heads, or a token that is not there
 * @example await attentionPlaces(batch, maps.filter(({ block }) => block === "decoders.0.blocks.0"));
 */
export async function attentionPlaces(
  prepared: Prepared,
  maps: readonly AttentionMap[],
  choice: { sample?: number; query?: number; title?: string } = {},
): Promise<Shown<Figure>> {
  const [first] = maps;
  if (
    !first ||
    maps.some((map) => map.axis !== "all" || map.field !== first.field || map.keyField !== first.keyField)
  ) {
    throw new AtmorepError("usage", "these heads cannot be drawn on one map", {
      where: "maps",
      found: first ? [...new Set(maps.map(({ title }) => title))].slice(0, 4).join("; ") : "no head",
      expected: "heads of dense attention from one field to one field",
      fix: 'Filter them, for example by block: maps.filter(({ block }) => block === "encoders.0.heads.0").',
    });
  }
  const { sample = 0 } = choice;
  const { field: queryField } = chosenField(prepared, { field: first.field, sample });
  const { field: keyField } = chosenField(prepared, { field: first.keyField, sample });
  const query = choice.query ?? firstHidden(prepared, queryField, sample);
  if (!(Number.isInteger(query) && query >= 0 && query < first.queries)) {
    throw new AtmorepError("usage", "there is no such token", {
      where: "query",
      found: query,
      expected: `0 to ${first.queries - 1}`,
    });
  }
  const grids = await batchGrids(prepared, { field: keyField.name, sample });
  const title = choice.title ?? `Where a token of ${fieldTitle(queryField.name)} looks (mean of ${maps.length} heads)`;
  return show(views.attentionPlacesFigure({ title, keyField, queryField, query, maps, grids }));
}

/** The first hidden token of a sample, of the first level that has one; 0 if nothing is hidden. */
function firstHidden({ masked }: Prepared, { index, N }: Field, sample: number): number {
  for (const [l, level] of masked.fields[index].idx.entries()) {
    const own = level.find((i) => Math.floor(i / N) === sample);
    if (own !== undefined) return l * N + (own % N);
  }
  return 0;
}

/**
 * Distributions of a run's weights, part by part.
 * @example await parameters("ab12cd34");
 */
export async function parameters(
  run: RunReference,
  options: { out?: string; epoch?: WeightTag } = {},
): Promise<Shown<Figure>> {
  const { id, out } = runPlace(run, options.out);
  const { readWeights, weightPath } = await import("../runs/weightFiles.js");
  const weights = await readWeights(weightPath(runFolder(out, id).modelsDir, id, options.epoch ?? "latest"));
  const groups = views.groupByPart([...weights].map(([name, { data }]) => [name, data]));
  return show(views.histogramFigure(`Weights of run ${id}`, groups, "weight"));
}

/**
 * Distributions of gradients by state-dict name, such as `trainStep` returns them.
 * @example gradients(Object.entries(byName));
 */
export function gradients(byName: Iterable<readonly [name: string, values: ArrayLike<number>]>): Shown<Figure> {
  return show(views.histogramFigure("Gradients", views.groupByPart(byName), "gradient"));
}

/**
 * Loss terms, validation and (with `baselines`) the simple baselines of a run.
 * @example await losses("ab12cd34");
 */
export async function losses(
  run: (RunReference & Pick<views.TrainingView, "baselines" | "skills">) | string,
  options: { out?: string } = {},
): Promise<Shown<Figure>> {
  const { id, out } = runPlace(run, options.out);
  await readRun(out, id);
  const rows = await readMetrics(runFolder(out, id).metrics);
  const known = typeof run === "string" ? {} : { baselines: run.baselines, skills: run.skills };
  return show(views.trainingFigure({ runId: id, rows, ...known }));
}

/**
 * The learning rate of each epoch.
 * @example learningRate(config);
 */
export function learningRate(config: RunConfig): Shown<Figure> {
  return show(views.learningRateFigure(config));
}

/**
 * A configuration with what its keys mean and what differs from its preset.
 * @example config(resolveConfig({ preset: "storm", set: { dropout_rate: 0.1 } }));
 */
export function config(cfg: RunConfig | ResolvedConfig, options: ConfigTableOptions = {}): Shown<Table> {
  return showTable(configTable(cfg, options));
}

/**
 * The fields of a batch with units, levels and shapes.
 * @example describe(prepared);
 */
export function describe(prepared: Prepared): Shown<Table> {
  return showTable(batchTable(prepared));
}

/**
 * Scores of the model and the baselines: of a validation, or of an evaluation with intervals.
 * @example scores(run.finished.skill);
 */
export function scores(skill: readonly FieldSkill[] | Scored): Shown<Table> {
  return showTable("scores" in skill ? evaluationScores(skill) : skillTable(skill));
}

/**
 * Lines over one axis, one panel a description: for what no other view draws.
 * @example lines("Squares", [{ x: ["x", ""], y: ["x²", ""], at: [0, 1, 2], lines: { squares: [0, 1, 4] } }]);
 */
export function lines(
  title: string,
  panels: readonly views.LinesPanel[],
  options: views.LinesOptions = {},
): Shown<Figure> {
  return show(views.linesFigure(title, panels, options));
}
