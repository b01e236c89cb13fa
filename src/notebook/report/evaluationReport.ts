/** The page of an evaluation: verdict, scores, calibration before and after, spectra, samples, masks, configuration. */
import { join } from "node:path";
import { readScores } from "../../evaluation/calibration.js";
import type { RunDetails } from "../../runs/list.js";
import { madeBy, madeByRows } from "../../runs/madeBy.js";
import { configurationPart } from "./configuration.js";
import { absent, aside, orWhyNot, type Page, type Section } from "./html.js";
import { masksPart } from "./masks.js";
import { ensemblePart, samplesPart } from "./predictions.js";
import { madeByTable, type ReportOptions } from "./runReport.js";
import { calibrationPart, scoresPart, spectraPart } from "./scores.js";
import { tablePart } from "./table.js";
import { modeOf, verdictPart } from "./verdict.js";

/** @throws AtmorepError (input) if its scores cannot be read */
export async function evaluationPage(run: RunDetails, out: string, options: ReportOptions): Promise<Page> {
  const { id, config, resultsDir } = run;
  const stored = await readScores(resultsDir);
  const { about, scores } = stored;
  const fields = Object.keys(scores);
  const written = { id, out, fields, samples: options.samples ?? [0] };
  const part = async (title: string, make: () => Promise<string> | string): Promise<Section> => ({
    title,
    html: await orWhyNot(make),
  });
  const of = typeof about.run === "string" ? about.run : null;
  return {
    title: `AtmoRep evaluation ${id}`,
    lead: [
      of === null
        ? `Scores of result stores, ${about.samples} samples.`
        : `Of run ${of}, ${modeOf(about)}, ${about.samples} samples, ${about.first_time} to ${about.last_time} UTC.`,
      `Files: ${join("results", `id${id}`)}`,
    ],
    sections: [
      await part("Verdict", () => verdictOf(about)),
      await part("Scores", () => scoresPart(stored)),
      await part("Calibration", () => calibrationPart(stored)),
      await part("Spectra", () => spectraPart(scores)),
      await part("Samples", () => samplesPart(written)),
      await part("Ensemble of the stores", () => ensemblePart(written)),
      await part("Masks", () => masksPart(id, out, options.data)),
      await part("Configuration", () => configurationPart(id, config, out, options.against)),
      await part("Made by", () => madeByPart(of, out)),
    ],
  };
}

function verdictOf({ verdict, told_on }: Record<string, unknown>): string {
  if (typeof verdict !== "string")
    return absent("No verdict: an earlier version made the evaluation, which kept none.");
  return [
    verdictPart(verdict, "All levels and lead times"),
    ...(typeof told_on === "string" ? [aside(told_on)] : []),
  ].join("\n");
}

async function madeByPart(run: string | null, out: string): Promise<string> {
  if (run === null) return absent("Not here: the stores do not say which run made them.");
  const told = await madeBy(out, run);
  return `${aside(`The run whose weights were evaluated, ${run}.`)}${tablePart(madeByTable(madeByRows(told)))}`;
}
