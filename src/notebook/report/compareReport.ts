/** The page of several runs or evaluations side by side. */
import { readScores } from "../../evaluation/calibration.js";
import { cardTable, readScoreCard } from "../../evaluation/readCard.js";
import { compareRuns } from "../../runs/compare.js";
import { type RunDetails, readRun } from "../../runs/list.js";
import { type RunReference, runPlace } from "../../runs/locate.js";
import { madeBy, madeByRows } from "../../runs/madeBy.js";
import type { Table } from "../figure/table.js";
import { comparisonFigure, scoreCardFigure, shownComparisons } from "../views/index.js";
import { differencesTable } from "./configuration.js";
import { figurePart } from "./figure.js";
import { historyOf } from "./history.js";
import { absent, htmlPage, orWhyNot, paragraph, type Section } from "./html.js";
import { tablePart } from "./table.js";
import { modeOf, verdictPart } from "./verdict.js";

/**
 * A self-contained HTML page of runs in one folder: verdicts, score card, losses, what differs in configuration and in what made them.
 * @returns an HTML document without scripts and without links to other files
 * @throws AtmorepError (usage) for fewer than two runs or unknown ones
 * @example await writeFile("page.html", await compareReport(["ab12cd34", "ef56gh78"]));
 */
export async function compareReport(references: readonly RunReference[], folder?: string): Promise<string> {
  const places = references.map((reference) => runPlace(reference, folder));
  const { out } = places[0] ?? { out: "." };
  const ids = places.map(({ id }) => id);
  const compared = await compareRuns(out, ids);
  const runs = await Promise.all(ids.map((id) => readRun(out, id)));
  const trained = runs.filter(({ metrics }) => metrics.length > 0);
  const part = async (title: string, make: () => Promise<string> | string): Promise<Section> => ({
    title,
    html: await orWhyNot(make),
  });
  const curves = () =>
    trained.length > 0
      ? figurePart(
          comparisonFigure(
            trained.map(({ id }) => id),
            trained.map(({ id }) => compared.curves[ids.indexOf(id)]),
          ),
          false,
        )
      : absent("Not here: these are evaluations, which train nothing.");
  return htmlPage({
    title: `AtmoRep: ${ids.join(" and ")}`,
    lead: compared.metricsFaults.flatMap((fault) => (fault === null ? [] : [`Warning: ${fault}.`])),
    sections: [
      await part("Verdicts", async () => (await Promise.all(runs.map((run) => verdictOf(run, out)))).join("\n")),
      await part("Score card", () => cardPart(ids, out)),
      await part("How they went", () => tablePart(statusTable(runs))),
      await part("Validation losses", curves),
      await part("Configurations", () =>
        compared.differences.length > 0
          ? tablePart(differencesTable(ids, compared.differences))
          : paragraph("The configurations are the same, run ids aside."),
      ),
      await part("Made by", async () => tablePart(await madeByBeside(ids, out))),
    ],
  });
}

async function verdictOf(run: RunDetails, out: string): Promise<string> {
  if (run.status === "evaluated") {
    return orWhyNot(async () => {
      const { about } = await readScores(run.resultsDir);
      return verdictPart(
        String(about.verdict ?? "No verdict was kept."),
        `Evaluation ${run.id} of ${about.run}, ${modeOf(about)}`,
      );
    });
  }
  return orWhyNot(async () => {
    const { told } = await historyOf(run, out);
    const sentence = told?.end?.verdict ?? told?.validations.at(-1)?.verdict;
    return sentence
      ? verdictPart(sentence, `Run ${run.id}, at its last validation`)
      : absent(`Run ${run.id}: no verdict of training; npx atmorep evaluate ${run.id} gives one.`);
  });
}

/** Of evaluations at the same times, or of runs with one evaluation each. */
async function cardPart(ids: readonly string[], out: string): Promise<string> {
  const card = await readScoreCard(ids, out);
  const [[columns, ...rows]] = cardTable(card);
  const told = `${card.times} initial times, ${card.from} to ${card.to} UTC; region ${card.region}.`;
  const figure = scoreCardFigure({ ...card, comparisons: shownComparisons(card) }, card.hoursPerLeadStep);
  return [paragraph(told), await figurePart(figure, false), tablePart({ title: "Every cell", columns, rows })].join(
    "\n",
  );
}

function statusTable(runs: readonly RunDetails[]): Table {
  return {
    title: "Runs",
    columns: ["run", "began (UTC)", "strategy", "fields", "status", "steps", "last validation loss", "best"],
    rows: runs.map((run) => [
      run.id,
      run.date.slice(0, 16).replace("T", " "),
      run.strategy.replaceAll("_", " "),
      run.fields.join(", "),
      run.status,
      run.steps,
      run.validationLoss,
      run.bestValidationLoss,
    ]),
  };
}

/** A row for each thing that is told, a column a run. */
async function madeByBeside(ids: readonly string[], out: string): Promise<Table> {
  const told = await Promise.all(ids.map(async (id) => madeByRows(await madeBy(out, id))));
  const names = [...new Set(told.flatMap((rows) => rows.map(([what]) => what)))].filter((what) => what !== "");
  const how = (rows: readonly [string, string][], what: string) =>
    rows.flatMap(([name, text]) => (name === what ? [text] : [])).join("; ");
  return {
    title: "Engine, versions, machine, command and data",
    columns: ["what", ...ids],
    rows: names.map((what) => [what, ...told.map((rows) => how(rows, what))]),
  };
}
