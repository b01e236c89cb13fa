/** The display calls: each takes what a notebook has at hand and ends a cell with a figure or a table. */

import { type RunReference, runPlace } from "../api/locate.js";
import type { Prepared } from "../api/prepare.js";
import type { ResolvedConfig } from "../config/resolve.js";
import type { RunConfig, Strategy } from "../config/types.js";
import { usualStep } from "../data/sampling.js";
import type { Store } from "../data/store.js";
import { HOUR_NS } from "../data/time.js";
import { createMaskGenerators, maskBatch, maskingSummary } from "../masking/index.js";
import type { FieldSkill } from "../training/events.js";
import { readMetrics } from "../training/metrics.js";
import { runFolder } from "../training/runFolder.js";
import { readRun } from "../training/runs.js";
import type { WeightTag } from "../training/weightFiles.js";
import { type Shown, show } from "./figure/display.js";
import { showTable, type Table } from "./figure/table.js";
import { fieldTitle, levelTitle } from "./figure/text.js";
import type { Figure } from "./figure/types.js";
import { batchGrids, chosenField, type GridChoice, storeGrid } from "./grids.js";
import { type PredictionChoice, readPrediction } from "./runs/predictions.js";
import { batchTable, type ConfigTableOptions, configTable, skillTable } from "./tables.js";
import * as views from "./views/index.js";

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
 * Error over spread of one validation sample, in bins of equal counts.
 * @example await spreadSkill(run);
 */
export async function spreadSkill(run: RunReference, choice: PredictionChoice = {}): Promise<Shown<Figure>> {
  const { members: all, target } = await readPrediction(run, choice);
  return show(views.spreadSkillFigure(all, target));
}

/**
 * Where the target stands among the members of one validation sample.
 * @example await ranks(run);
 */
export async function ranks(run: RunReference, choice: PredictionChoice = {}): Promise<Shown<Figure>> {
  const { members: all, target } = await readPrediction(run, choice);
  return show(views.rankFigure(all, target));
}

/**
 * Zonal power spectra of target and prediction; the window must go around the globe.
 * @throws AtmorepError (usage) for a regional window
 * @example await spectra(run);
 */
export async function spectra(run: RunReference, choice: PredictionChoice = {}): Promise<Shown<Figure>> {
  const { target, prediction: predicted } = await readPrediction(run, choice);
  return show(
    views.spectraFigure([
      { name: "target", grid: target },
      { name: "prediction", grid: predicted },
    ]),
  );
}

/**
 * Attention weights, one panel a head.
 * @example attention([{ title: "layer 0, head 0", values, queries: 36, keys: 36 }]);
 */
export function attention(matrices: readonly views.AttentionMatrix[], title = "Attention weights"): Shown<Figure> {
  return show(views.attentionFigure(title, matrices));
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
  const { readWeights, weightPath } = await import("../training/weightFiles.js");
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
  run: (RunReference & { baselines?: readonly FieldSkill[] }) | string,
  options: { out?: string } = {},
): Promise<Shown<Figure>> {
  const { id, out } = runPlace(run, options.out);
  await readRun(out, id);
  const rows = await readMetrics(runFolder(out, id).metrics);
  return show(views.trainingFigure({ runId: id, rows, baselines: typeof run === "string" ? [] : run.baselines }));
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
 * Scores of the model and the baselines.
 * @example scores(run.finished.skill);
 */
export function scores(skill: readonly FieldSkill[]): Shown<Table> {
  return showTable(skillTable(skill));
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
