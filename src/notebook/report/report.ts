/** The page of whatever an id names, as text and as a file. */
import { join } from "node:path";
import { writeFileAtomic } from "../../formats/atomic.js";
import { readRun } from "../../runs/list.js";
import { type RunReference, runPlace } from "../../runs/locate.js";
import { evaluationPage } from "./evaluationReport.js";
import { htmlPage } from "./html.js";
import { type ReportOptions, reportName, runPage } from "./runReport.js";

/**
 * A self-contained HTML page of a run or an evaluation: verdict, scores with intervals, losses with baselines, learning rate, samples of
 * every field, ranks, spread, spectra, masks, configuration, what made it. What is not there is said in its place.
 * @returns an HTML document without scripts and without links to other files
 * @throws AtmorepError (usage) if there is no such run, (input) if an evaluation's scores cannot be read
 * @example await writeFile("report.html", await reportHtml("ab12cd34"));
 */
export async function reportHtml(reference: RunReference, options: ReportOptions = {}): Promise<string> {
  const { id, out } = runPlace(reference, options.out);
  const run = await readRun(out, id);
  // an evaluation trains nothing, so that its page is another one
  return htmlPage(await (run.status === "evaluated" ? evaluationPage : runPage)(run, out, options));
}

/**
 * Writes the page.
 * @param file default `report_id<ID>.html` in the run's results folder
 * @returns its path and size in bytes
 * @throws AtmorepError as {@link reportHtml}
 */
export async function writeReport(
  reference: RunReference,
  { file, ...options }: ReportOptions & { file?: string } = {},
): Promise<{ id: string; file: string; bytes: number }> {
  const { id, out } = runPlace(reference, options.out);
  const page = await reportHtml(reference, options);
  const path = file ?? join(out, "results", `id${id}`, reportName(id));
  await writeFileAtomic(path, page);
  return { id, file: path, bytes: Buffer.byteLength(page) };
}
