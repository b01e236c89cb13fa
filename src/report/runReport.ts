/** The page of a run: how it went, what it predicts, how it was set up and which files it left. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { BUDGET, readBounded } from "../budgets.js";
import { configFileName } from "../config/locate.js";
import { isAtmorepError } from "../errors.js";
import { svgFigure } from "../notebook/figure/svg.js";
import { type Table, tableHtml } from "../notebook/figure/table.js";
import type { Figure } from "../notebook/figure/types.js";
import { readPrediction } from "../notebook/runs/predictions.js";
import { configTable, filesTable } from "../notebook/tables.js";
import { learningRateRunFigure, predictionFigure, trainingFigure } from "../notebook/views/index.js";
import { runFolder } from "../runs/folder.js";
import { type RunDetails, readRun } from "../runs/list.js";
import { type RunReference, runPlace } from "../runs/locate.js";
import { readProvenance } from "../runs/provenance.js";
import { validationColumns, validationLoss } from "../runs/series.js";
import { evaluationReport } from "./evaluationReport.js";
import { htmlPage, preformatted, type Section } from "./html.js";

const LAST_LINES = 40;
/** A text is bounded to 512 MB. */
const LOG_BYTES = Math.min(BUDGET.logBytes, 2 ** 28);

/**
 * A self-contained HTML page of a run: curves, the validation table, maps of one validation sample where result stores
 * exist, the configuration, the last lines of its log, the files with their hashes. Of an evaluation: its scores, its
 * calibration before and after, its configuration.
 * @param out folder that holds `results/` and `models/`
 * @returns an HTML document without scripts and without links to other files
 * @throws AtmorepError (usage) if there is no such run
 * @example await writeFile("report.html", await runReport("ab12cd34"));
 */
export async function runReport(reference: RunReference, out?: string): Promise<string> {
  const place = runPlace(reference, out);
  const run = await readRun(place.out, place.id);
  // an evaluation trains nothing, so that its page is another one
  if (run.status === "evaluated") return evaluationReport(run, picture);
  const sections: Section[] = [
    { title: "Losses", html: await picture(trainingFigure({ runId: run.id, rows: run.metrics })) },
    { title: "Validation", html: tableHtml(validationTable(run)) },
    ...(await maps(run, place.out)),
    { title: "Learning rate", html: await picture(await learningRates(run, place.out)) },
    { title: "Configuration", html: tableHtml(configTable(run.config)) },
    ...(await lastLines(run)),
    { title: "Files", html: tableHtml(await files(run, place.out)) },
    { title: "Train it again", html: preformatted(commands(run)) },
  ];
  return htmlPage(`AtmoRep run ${run.id}`, lead(run), sections);
}

const picture = async (figure: Figure): Promise<string> =>
  `<div>${(await svgFigure(figure)).replace(/^<\?xml[^>]*>\s*/, "")}</div>`;

/** Over the steps that were done; those before a continuation at the rates of the run that it goes on from. */
async function learningRates({ id, config, metrics }: RunDetails, out: string): Promise<Figure> {
  const parts = [{ config, rows: metrics }];
  for (let at = id; ; ) {
    const parent = (await readProvenance(runFolder(out, at))).at(-1)?.parent;
    const former = parent && (await readRun(out, parent.runId).catch(() => null));
    // a parent that was removed, or a ring of folders that somebody renamed
    if (!former || parts.length > metrics.length) return learningRateRunFigure(parts);
    const { rows } = parts[0];
    parts[0] = { ...parts[0], rows: rows.filter(({ step }) => step > parent.step) };
    parts.unshift({ config: former.config, rows: rows.filter(({ step }) => step <= parent.step) });
    at = parent.runId;
  }
}

function lead(run: RunDetails): string[] {
  const last = run.metrics.at(-1);
  const seconds = last ? (Date.parse(last.time) - Date.parse(run.date)) / 1000 : 0;
  return [
    `${run.strategy.replaceAll("_", " ")} of ${run.fields.join(", ")}: ${run.status} after ${run.steps} steps and ${last?.samples ?? 0} samples.`,
    `Started ${run.date.slice(0, 16).replace("T", " ")} UTC, last row of metrics ${Math.round(seconds)} s later; seed ${run.config.rng_seed}.`,
    ...(run.metricsFault === null ? [] : [`Warning: ${run.metricsFault}.`]),
  ];
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

/** Nothing where the run wrote no result stores. */
async function maps(run: RunDetails, out: string): Promise<Section[]> {
  try {
    const prediction = await readPrediction(run.id, { out });
    return [{ title: "One validation sample", html: await picture(predictionFigure(prediction)) }];
  } catch (error) {
    if (isAtmorepError(error) && error.code === "usage") return [];
    throw error;
  }
}

async function lastLines(run: RunDetails): Promise<Section[]> {
  const path = join(run.resultsDir, "console.log");
  if (!existsSync(path)) return [];
  const lines = (await readBounded(path, LOG_BYTES)).toString("utf8").trimEnd().split("\n");
  const title = lines.length > LAST_LINES ? `Log, its last ${LAST_LINES} of ${lines.length} lines` : "Log";
  return [{ title, html: preformatted(lines.slice(-LAST_LINES).join("\n")) }];
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
