/** The page of an evaluation: scores, calibration before and after, the configuration. */
import { join } from "node:path";
import { AtmorepError, isAtmorepError } from "../errors.js";
import { calibrationLines, readScores } from "../evaluation/calibration.js";
import { tableHtml } from "../notebook/figure/table.js";
import type { Figure } from "../notebook/figure/types.js";
import { configTable, evaluationScores } from "../notebook/tables.js";
import { calibrationRanksFigure, leadFigure, reliabilityFigure, spreadErrorFigure } from "../notebook/views/index.js";
import type { RunDetails } from "../runs/list.js";
import { htmlPage, preformatted, type Section } from "./html.js";

/**
 * A self-contained HTML page of an evaluation.
 * @param picture a figure as HTML
 * @throws AtmorepError (input) if its scores cannot be read
 */
export async function evaluationReport(run: RunDetails, picture: (figure: Figure) => Promise<string>): Promise<string> {
  try {
    return await scoresPage(run, picture);
  } catch (cause) {
    // scores.json is JSON of any shape until all of it has been shown
    if (isAtmorepError(cause)) throw cause;
    throw new AtmorepError("input", "the scores cannot be shown", {
      where: join(run.resultsDir, "scores.json"),
      found: (cause as Error).message,
      fix: "The file is damaged; evaluate the run again",
      cause,
    });
  }
}

async function scoresPage(
  { id, config, resultsDir }: RunDetails,
  picture: (figure: Figure) => Promise<string>,
): Promise<string> {
  const { scores, about, calibration } = await readScores(resultsDir);
  const units = (about.units ?? {}) as Record<string, string>;
  const hours = typeof about.hours_per_lead_step === "number" ? about.hours_per_lead_step : null;
  const sections: Section[] = [{ title: "Scores", html: tableHtml(evaluationScores({ scores, about })) }];
  for (const [field, levels] of Object.entries(scores)) {
    if (Object.keys(levels.all ?? {}).length < 3) continue;
    sections.push({ title: `Lead times: ${field}`, html: await picture(leadFigure(scores, { field }, hours)) });
  }
  if (calibration) {
    sections.push({ title: "Post-hoc calibration", html: preformatted(calibrationLines(calibration).join("\n")) });
    for (const field of Object.keys(calibration.fields)) {
      const figures = [
        reliabilityFigure(calibration, { field }),
        calibrationRanksFigure(calibration, { field }),
        spreadErrorFigure(calibration, { field }, units[field] ?? ""),
      ];
      const drawn = [];
      for (const figure of figures) drawn.push(await picture(figure));
      sections.push({ title: `Calibration: ${field}`, html: drawn.join("\n") });
    }
  }
  sections.push({ title: "Configuration", html: tableHtml(configTable(config)) });
  const lead = [
    `Of run ${about.run}@${about.weights}, mode ${String(about.mode).replaceAll("_", " ")}, ${about.samples} samples, ${about.first_time} to ${about.last_time}.`,
    String(about.verdict ?? ""),
    `Files: ${join("results", `id${id}`)}`,
  ];
  return htmlPage(`AtmoRep evaluation ${id}`, lead, sections);
}
