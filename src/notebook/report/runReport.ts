/** The page of a run: who wins, how it went, what it predicts, how it was set up, what made it and which files it left. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { BUDGET, readBounded } from "../../budgets.js";
import { configFileName, locateConfig } from "../../config/locate.js";
import { isUrl, resolveConfig } from "../../config/resolve.js";
import { scoresOfStores } from "../../evaluation/scoreResults.js";
import { scoreBaselines } from "../../prediction/baselines.js";
import type { FieldSkill } from "../../runs/events.js";
import type { RunDetails } from "../../runs/list.js";
import { madeBy, madeByRows } from "../../runs/madeBy.js";
import { validationColumns, validationLoss } from "../../runs/series.js";
import type { Table } from "../figure/table.js";
import { filesTable } from "../tables.js";
import { learningRateRunFigure, trainingFigure } from "../views/index.js";
import { configurationPart } from "./configuration.js";
import { type Evaluated, evaluationsOf } from "./evaluations.js";
import { figurePart } from "./figure.js";
import { type History, historyOf } from "./history.js";
import { absent, aside, folded, heading, orWhyNot, type Page, preformatted, type Section } from "./html.js";
import { masksPart } from "./masks.js";
import { ensemblePart, STORES_NOTE, samplesPart } from "./predictions.js";
import { scoresPart, spectraPart } from "./scores.js";
import { tablePart } from "./table.js";
import { modeOf, runVerdicts } from "./verdict.js";

/** What a page may be asked for. */
export interface ReportOptions {
  /** folder that holds `results/` and `models/` */
  out?: string;
  /** another run, whose configuration stands beside this one's */
  against?: string;
  /** numbers of the samples that are drawn; default the first */
  samples?: readonly number[];
  /** whether the data are opened, for masks and missing baselines; default: unless they lie at an address */
  data?: boolean;
}

const LAST_LINES = 40;
/** A text is bounded to 512 MB. */
const LOG_BYTES = Math.min(BUDGET.logBytes, 2 ** 28);
/** Values of result stores that are scored in passing: about half a minute. */
const MOST_VALUES = 3e7;
/** Evaluations whose scores are shown; older ones are named. */
const MOST_EVALUATIONS = 3;

export async function runPage(run: RunDetails, out: string, options: ReportOptions): Promise<Page> {
  const { id, config } = run;
  const history = await historyOf(run, out).catch(orEmpty(run));
  const evaluations = await evaluationsOf(id, out);
  const stored = { id, out, fields: config.fields_prediction.map(([name]) => name), samples: options.samples ?? [0] };
  const part = async (title: string, make: () => Promise<string> | string): Promise<Section> => ({
    title,
    html: await orWhyNot(make),
  });
  const scored = await scoresOfStores(run.resultsDir, undefined, MOST_VALUES).catch((error) => error as Error);
  const stores = <T>(use: (scores: Exclude<typeof scored, Error>) => T): T => {
    if (scored instanceof Error) throw scored;
    return use(scored);
  };
  return {
    title: `AtmoRep run ${id}`,
    lead: lead(run),
    sections: [
      await part("Verdict", () => runVerdicts(history, evaluations, id)),
      await part("Scores", () => ownScores(history)),
      await part("Evaluations", () => evaluationScores(evaluations, id)),
      await part("Scores of the result stores", () =>
        stores(async ({ scores }) => `${STORES_NOTE}${await scoresPart({ scores, about: {} })}`),
      ),
      await part("Losses", () => losses(run, history, out, options.data)),
      await part("Learning rate", () => figurePart(learningRateRunFigure(history.parts), false)),
      await part("Samples", () => samplesPart(stored)),
      await part("Ensemble", () => ensemblePart(stored)),
      await part("Spectra", () => stores(({ scores }) => spectraPart(scores))),
      await part("Masks", () => masksPart(id, out, options.data)),
      await part("Configuration", () => configurationPart(id, config, out, options.against)),
      await part("Made by", async () => tablePart(madeByTable(madeByRows(await madeBy(out, id))))),
      await part("Log", () => lastLines(run)),
      await part("Files", async () => tablePart(await files(run, out))),
      await part("Train it again", () => preformatted(commands(run), "Commands")),
    ],
  };
}

/** A damaged file beside a run hides no run. */
const orEmpty =
  ({ config, metrics }: RunDetails) =>
  (error: unknown): History => {
    if (!(error instanceof Error)) throw error;
    return { parts: [{ config, rows: metrics, skill: null }], told: null, baselines: [], skills: [] };
  };

function lead(run: RunDetails): string[] {
  const last = run.metrics.at(-1);
  const seconds = last ? (Date.parse(last.time) - Date.parse(run.date)) / 1000 : 0;
  return [
    `${run.strategy.replaceAll("_", " ")} of ${run.fields.join(", ")}: ${run.status} after ${run.steps} steps and ${last?.samples ?? 0} samples.`,
    `Started ${run.date.slice(0, 16).replace("T", " ")} UTC, last row of metrics ${Math.round(seconds)} s later; seed ${run.config.rng_seed}.`,
    ...(run.metricsFault === null ? [] : [`Warning: ${run.metricsFault}.`]),
  ];
}

/** As the run told them at its end, or of its last validation, beside every baseline. */
function ownScores({ told, baselines }: History): string {
  const last = told?.validations.at(-1);
  if (told?.end && told.end.skill.length > 0) {
    const on = told.end.toldOn === "test" ? "the test" : "the validation points";
    return tablePart(skillRows(told.end.skill, `Root mean square error on ${on}, step ${told.end.step}`));
  }
  if (last) {
    return tablePart(skillRows(last.skill, `Root mean square error on the validation points, step ${last.step}`));
  }
  if (baselines.length > 0) return tablePart(skillRows(baselines, "Baselines; the model has not been validated"));
  return absent("Not here: the run kept no scores beside its baselines, or was not validated yet.");
}

/** Physical units alone, which a page has room for. */
function skillRows(skill: readonly FieldSkill[], title: string): Table {
  const names = [...new Set(skill.flatMap(({ rmse }) => Object.keys(rmse)))];
  return {
    title,
    columns: ["field", "unit", "tokens", "points", ...names.map((name) => name.replaceAll("_", " "))],
    rows: skill.map(({ field, unit, kind, points, rmse }) => [
      field,
      unit,
      kind,
      points,
      ...names.map((name) => rmse[name]),
    ]),
    caption:
      "Lower is better. One seed, one short period: a difference here proves nothing about other times and places.",
  };
}

async function evaluationScores(evaluations: readonly Evaluated[], id: string): Promise<string> {
  if (evaluations.length === 0) return absent(`None here: npx atmorep evaluate ${id}`);
  const shown = evaluations.slice(0, MOST_EVALUATIONS);
  const parts: string[] = [];
  for (const { id: own, stored } of shown) {
    parts.push(heading(`Evaluation ${own}, ${modeOf(stored.about)}`), await orWhyNot(() => scoresPart(stored)));
    parts.push(aside(`Its own page, with calibration, ranks and spectra: npx atmorep runs report ${own}`));
  }
  const older = evaluations.slice(MOST_EVALUATIONS).map(({ id: own }) => own);
  return [...parts, ...(older.length > 0 ? [aside(`Older ones: ${older.join(", ")}`)] : [])].join("\n");
}

async function losses(run: RunDetails, history: History, out: string, data: boolean | undefined): Promise<string> {
  const baselines = history.baselines.length > 0 ? history.baselines : await computed(run.id, out, data);
  const view = { runId: run.id, rows: run.metrics, skills: history.skills };
  const without = typeof baselines === "string" ? baselines : "";
  const figure = trainingFigure({ ...view, baselines: typeof baselines === "string" ? [] : baselines });
  return [await figurePart(figure, false), without, tablePart(validationTable(run))].join("\n");
}

/** The baselines of a run that did not keep them; in words why there are none. */
async function computed(id: string, out: string, data: boolean | undefined): Promise<FieldSkill[] | string> {
  const { config, folder } = resolveConfig({ file: locateConfig(id, out) });
  if (data === false || (data === undefined && isUrl(config.file_path)))
    return absent("Without baselines: the data were not read.");
  let found: FieldSkill[] = [];
  const failed = await orWhyNot(async () => {
    found = await scoreBaselines(config, { folder });
    return "";
  });
  return failed || found;
}

/** One row a validation: epoch, step and every series of validations. */
function validationTable(run: RunDetails): Table {
  const rows = run.metrics.filter((row) => validationLoss(row) !== null);
  const series = validationColumns(rows);
  return {
    title: rows.length > 0 ? "Mean squared error of the mean prediction, normalised" : "Not validated yet",
    columns: ["epoch", "step", ...series],
    rows: rows.map((row) => [row.epoch, row.step, ...series.map((name) => row[name])]),
  };
}

export const madeByTable = (rows: readonly [string, string][]): Table => ({
  title: "Engine, versions, machine, command and data",
  columns: ["what", "how"],
  rows,
});

async function lastLines(run: RunDetails): Promise<string> {
  const path = join(run.resultsDir, "console.log");
  if (!existsSync(path)) return absent("Not here: the run has no console.log.");
  const lines = (await readBounded(path, LOG_BYTES)).toString("utf8").trimEnd().split("\n");
  const title = lines.length > LAST_LINES ? `The last ${LAST_LINES} of ${lines.length} lines` : "All lines";
  return folded(title, preformatted(lines.slice(-LAST_LINES).join("\n"), "Log"));
}

/** An earlier report is no part of the run: a second one must read the same. */
async function files(run: RunDetails, out: string): Promise<Table> {
  const table = await filesTable(run.id, out);
  return { ...table, rows: table.rows.filter(([file]) => !String(file).endsWith(reportName(run.id))) };
}

/** Name of the page in the run's results folder. */
export const reportName = (id: string): string => `report_id${id}.html`;

const commands = ({ id, config }: RunDetails): string =>
  [
    `npx atmorep config show ${id} --json      # the whole configuration`,
    `npx atmorep train results/id${id}/${configFileName(id)} --seed ${config.rng_seed}`,
    `npx atmorep train --continue ${id}`,
  ].join("\n");
