/** Scores of a page: tables and figures by field, level, lead time and region, ranks and spread, spectra. */
import { displayUnit } from "../../data/units.js";
import { calibrationLines, type StoredScores } from "../../evaluation/calibration.js";
import type { ScoreReport } from "../../scores/index.js";
import { fieldTitle, levelTitle } from "../figure/text.js";
import { evaluationScores } from "../tables.js";
import * as views from "../views/index.js";
import { figurePart } from "./figure.js";
import { absent, heading, orWhyNot, paragraph } from "./html.js";
import { tablePart } from "./table.js";

type Scored = Pick<StoredScores, "scores" | "about">;

/** The table, and a figure a field: each level, lead time and region with its interval, then over lead time. */
export async function scoresPart({ scores, about }: Scored): Promise<string> {
  const parts = [tablePart(evaluationScores({ scores, about }))];
  const hours = typeof about.hours_per_lead_step === "number" ? about.hours_per_lead_step : null;
  for (const field of Object.keys(scores)) {
    parts.push(await orWhyNot(() => figurePart(views.intervalsFigure(scores, { field }, hours))));
    // the first two leads make no line
    if (Object.keys(scores[field].all ?? {}).length > 2) {
      parts.push(await orWhyNot(() => figurePart(views.leadFigure(scores, { field }, hours))));
    }
  }
  return parts.join("\n");
}

/** Ranks, spread and reliability, before and after post-hoc calibration. */
export async function calibrationPart({ scores, calibration, about }: StoredScores): Promise<string> {
  if (!calibration) return ranksPart(scores);
  const units = (about.units ?? {}) as Record<string, string>;
  const parts = calibrationLines(calibration).map(paragraph);
  for (const field of Object.keys(calibration.fields)) {
    const figures = [
      () => views.calibrationRanksFigure(calibration, { field }),
      () => views.spreadErrorFigure(calibration, { field }, units[field] ?? ""),
      () => views.reliabilityFigure(calibration, { field }),
    ];
    parts.push(heading(fieldTitle(field)));
    for (const figure of figures) parts.push(await orWhyNot(() => figurePart(figure())));
  }
  return parts.join("\n");
}

async function ranksPart(scores: ScoreReport): Promise<string> {
  const parts: string[] = [];
  for (const field of Object.keys(scores)) {
    const [[region, leaf]] = Object.entries(scores[field].all.all);
    if (!leaf.rank_histogram) continue;
    parts.push(await figurePart(views.rankSharesFigure(leaf, `Rank histogram: ${fieldTitle(field)}, ${region}`)));
  }
  return parts.length > 0 ? parts.join("\n") : absent("Not here: the scores are of one member, which has no ranks.");
}

/** Of windows, and around the globe; the reason where there are neither. */
export async function spectraPart(scores: ScoreReport): Promise<string> {
  const parts: string[] = [];
  for (const field of Object.keys(scores)) {
    const { unit } = displayUnit(field);
    const drawn: string[] = [];
    const refused: string[] = [];
    for (const make of [
      () => zonalFigure(scores, field, unit),
      () => views.windowSpectrumFigure(scores, { field }, unit),
    ]) {
      const html = await orWhyNot(() => figurePart(make()));
      (html.includes("<figure") ? drawn : refused).push(html);
    }
    parts.push(...(drawn.length > 0 ? drawn : [heading(fieldTitle(field)), ...refused]));
  }
  return parts.join("\n");
}

function zonalFigure(scores: ScoreReport, field: string, unit: string) {
  const { level, lead, model, target } = views.scoredSpectra(scores, { field });
  const entries = [
    { name: "target", power: target },
    { name: "forecast", power: model },
  ];
  return views.powerFigure(`Zonal power: ${fieldTitle(field)}, ${levelTitle(level)}, lead ${lead}`, entries, unit);
}
