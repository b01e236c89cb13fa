/** Spectra of windows that do not go around the globe. */
import { AtmorepError } from "../../errors.js";
import type { ScoreReport } from "../../scores/index.js";
import { categoryColor } from "../figure/palette.js";
import { fieldTitle, formatNumber, levelTitle } from "../figure/text.js";
import type { Figure, Line } from "../figure/types.js";
import { rangeOf } from "./maps.js";
import { chosenScores, type ScoreChoice } from "./scores.js";

interface StoredSpectrum {
  model?: number[];
  target?: number[];
  wavelength?: number[];
  planes?: number;
  refused?: string;
}

/**
 * Variance by wavelength in the windows of an evaluation, forecast beside target; both axes logarithmic.
 * @param unit of the field
 * @throws AtmorepError (usage) with the reason if there are none
 */
export function windowSpectrumFigure(report: ScoreReport, choice: ScoreChoice = {}, unit = ""): Figure {
  const field = choice.field ?? Object.keys(report)[0];
  const known = Object.keys(report[field] ?? {}).filter((level) => level !== "all");
  const level = choice.level ?? (known.length > 0 ? Number(known[0]) : "all");
  const { all, region } = chosenScores(report, { ...choice, field, level });
  const found = all.window_spectrum as StoredSpectrum | undefined;
  if (!found?.model || !found.target || !found.wavelength) {
    throw new AtmorepError("usage", found?.refused ?? "the evaluation has no spectra of windows", {
      where: `${field}, level ${level}, ${region}`,
      expected: "an evaluation whose hidden tokens fill the window at some time step, such as forecast",
    });
  }
  const wavelength = found.wavelength;
  const line = (name: string, power: readonly number[], k: number): Line => ({
    kind: "line",
    name,
    color: categoryColor(k),
    x: wavelength,
    y: power.map((p) => (p > 0 ? p : null)),
  });
  const lines = [line("target", found.target, 0), line("forecast", found.model, 1)];
  const [low, high] = rangeOf(...lines.map(({ y }) => y.filter((v) => v !== null)));
  const last = wavelength[wavelength.length - 1];
  const ticks = wavelength
    .filter((_, k) => (k & (k + 1)) === 0)
    .map((value) => ({ value, label: formatNumber(value) }));
  return {
    title: `Variance by scale: ${fieldTitle(field)}, ${level === "all" ? "all levels" : levelTitle(level)}`,
    columns: 1,
    width: 560,
    caption: `Discrete cosine transform of ${found.planes} windows, mean left out (Denis, Cote and Laprise 2002).`,
    panels: [
      {
        title: "",
        x: {
          label: "longest wave of the band",
          unit: "grid steps",
          type: "log",
          range: [1.05 * wavelength[0], 0.95 * last],
          ticks,
        },
        y: { label: "variance", unit: unit ? `${unit} squared` : "", type: "log", range: [low * 0.7, high * 1.4] },
        marks: lines,
      },
    ],
  };
}
