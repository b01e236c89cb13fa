/** `nb.report`: the page of a run from a notebook. */
import { relative } from "node:path";
import type { RunReference } from "../../runs/locate.js";
import { displayed, type Shown } from "../figure/display.js";
import { escapeHtml } from "../figure/text.js";
import type { ReportOptions } from "./runReport.js";

/** Where a page was written. */
export interface WrittenReport {
  id: string;
  file: string;
  bytes: number;
}

/**
 * Writes the page of a run or an evaluation, the same as `atmorep runs report`, and shows a link to it: verdict, scores with intervals, losses
 * with baselines, samples, ranks, spectra, masks, configuration, what made it. It needs no other file and can be sent to somebody.
 * @param options `file` (default `report_id<ID>.html` in the run's results folder), `against` another run, `samples` to draw, `data: false` to leave
 *   the data closed
 * @throws AtmorepError (usage) if there is no such run, (input) if an evaluation's scores cannot be read
 * @example await report(run, { file: "report.html" });
 */
export async function report(
  run: RunReference,
  options: ReportOptions & { file?: string } = {},
): Promise<Shown<WrittenReport>> {
  // it evaluates too, with libraries that a notebook need not wait for
  const { writeReport } = await import("./report.js");
  const written = await writeReport(run, options);
  const place = relative(process.cwd(), written.file);
  const size = `${Math.ceil(written.bytes / 1000)} kB`;
  return displayed(written, async () => ({
    "text/html": `<p>The page of ${escapeHtml(written.id)}: <a href="${escapeHtml(encodeURI(place))}" target="_blank">${escapeHtml(place)}</a> (${size})</p>`,
    "text/plain": `the page of ${written.id}: ${place} (${size})`,
  }));
}
