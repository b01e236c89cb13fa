/** How far an ensemble's probabilities, ranks and spread can be trusted, before and after post-hoc calibration. */
import { AtmorepError } from "../../errors.js";
import type {
  CalibrationLeaf,
  CalibrationReport,
  Consistency,
  ReliabilityBin,
  SpreadErrorBin,
} from "../../scores/index.js";
import { categoryColor } from "../figure/palette.js";
import { fieldTitle } from "../figure/text.js";
import type { Figure, Mark, Panel } from "../figure/types.js";

/** Which part of the calibration of an evaluation. */
export interface CalibrationChoice {
  /** default the first */
  field?: string;
  /** level as in the store, or `all` (default) */
  level?: number | "all";
}

const [RAW, CALIBRATED, GREY] = [categoryColor(0), categoryColor(1), "#888888"];
const EVENTS: Readonly<Record<string, string>> = {
  minus_1sd: "mean - 1 sd",
  mean: "mean",
  plus_1sd: "mean + 1 sd",
};

/** @throws AtmorepError (usage) for a field or level that is not there, or an evaluation of one member */
export function chosenCalibration(report: CalibrationReport | null | undefined, choice: CalibrationChoice) {
  if (!report) {
    throw new AtmorepError("usage", "the evaluation has no calibration", {
      where: "calibration",
      expected: "an evaluation of two or more members: await atmorep.evaluate(RUN)",
    });
  }
  const field = choice.field ?? Object.keys(report.fields)[0];
  const level = String(choice.level ?? "all");
  const levels = report.fields[field]?.levels;
  const leaf = levels?.[level];
  if (!leaf) {
    throw new AtmorepError("usage", `the calibration has no such ${levels ? "level" : "field"}`, {
      where: levels ? "level" : "field",
      found: levels ? level : field,
      expected: Object.keys(levels ?? report.fields).join(", "),
    });
  }
  return { field, level, leaf };
}

/** Consistency bars as lines, broken between bins. */
function bars(at: readonly number[], bins: readonly Consistency[], color: string, name: string): Mark {
  const known = [...bins.keys()].filter((i) => bins[i].low !== null && bins[i].high !== null);
  return {
    kind: "line",
    name,
    color,
    width: 3,
    x: known.flatMap((i) => [at[i], at[i], null]),
    y: known.flatMap((i) => [bins[i].low, bins[i].high, null]),
  };
}

const BAR_COLORS = ["#b9d3e6", "#f2c9ad"] as const;

function reliabilityPanel(
  title: string,
  raw: readonly ReliabilityBin[],
  after: readonly ReliabilityBin[] | undefined,
): Panel {
  const marks: Mark[] = [
    { kind: "line", name: "frequency = probability", color: GREY, dash: true, x: [0, 1], y: [0, 1] },
  ];
  const series = [
    { bins: raw, color: RAW, bar: BAR_COLORS[0], name: "raw members" },
    ...(after ? [{ bins: after, color: CALIBRATED, bar: BAR_COLORS[1], name: "calibrated" }] : []),
  ];
  for (const { bins, color, bar, name } of series) {
    const x = bins.map(({ probability }) => probability);
    const y = bins.map(({ observed }) => observed);
    marks.push(bars(x, bins, bar, `95 % if ${name} were reliable`));
    marks.push({ kind: "line", name, color, x, y }, { kind: "points", color, x, y });
  }
  return {
    title,
    x: { label: "forecast probability", unit: "", range: [-0.03, 1.03] },
    y: { label: "observed frequency", unit: "", range: [-0.03, 1.03] },
    marks,
  };
}

function ranksPanel(title: string, label: string, bins: readonly Consistency[], color: string, bar: string): Panel {
  const x = bins.map((_, k) => k);
  const every = Math.ceil(bins.length / 12);
  const most = Math.max(...bins.flatMap(({ observed, high }) => [observed, high ?? 0]));
  return {
    title,
    x: {
      label,
      unit: "",
      range: [-0.6, bins.length - 0.4],
      ticks: x.filter((k) => k % every === 0).map((k) => ({ value: k, label: String(k) })),
    },
    y: { label: "share of points", unit: "", range: [0, 1.1 * most] },
    marks: [
      { kind: "bars", color, width: 0.8, x, y: bins.map(({ observed }) => observed) },
      bars(x, bins, bar, "95 % if it were flat"),
    ],
  };
}

function spreadPanel(
  title: string,
  unit: string,
  raw: readonly SpreadErrorBin[],
  after?: readonly SpreadErrorBin[],
): Panel {
  const all = [...raw, ...(after ?? [])];
  const most = 1.08 * Math.max(...all.flatMap(({ spread, error, high }) => [spread, error, high ?? 0]));
  const marks: Mark[] = [{ kind: "line", name: "error = spread", color: GREY, dash: true, x: [0, most], y: [0, most] }];
  const series = [
    { bins: raw, color: RAW, name: "raw members" },
    ...(after ? [{ bins: after, color: CALIBRATED, name: "calibrated" }] : []),
  ];
  for (const { bins, color, name } of series) {
    const x = bins.map(({ spread }) => spread);
    const known = bins.filter(({ low, high }) => low !== null && high !== null);
    marks.push(
      {
        kind: "line",
        color,
        x: known.flatMap(({ spread }) => [spread, spread, null]),
        y: known.flatMap(({ low, high }) => [low, high, null]),
      },
      { kind: "points", name, color, size: 7, x, y: bins.map(({ error }) => error) },
    );
  }
  return {
    title,
    x: { label: "spread", unit, range: [0, most] },
    y: { label: "RMSE of the mean", unit, range: [0, most] },
    marks,
  };
}

/** How sure the bars are, in words. */
function caution({ times }: CalibrationLeaf, bins: readonly { note?: string }[]): string {
  const few = bins.filter(({ note }) => note !== undefined).length;
  if (few === 0) return `${times} initial times.`;
  return `${times} initial times: ${few === bins.length ? "too few to tell" : `too few to tell in ${few} of ${bins.length} bins`}.`;
}

const titleOf = (what: string, field: string, level: string) =>
  `${what}: ${fieldTitle(field)}${level === "all" ? "" : `, level ${level}`}`;

const fitted = (report: CalibrationReport, leaf: CalibrationLeaf): string =>
  "refused" in leaf.calibrated ? `Not calibrated: ${leaf.calibrated.refused}.` : `Calibrated (EMOS): ${report.fitted}.`;

/**
 * Reliability diagrams: how often the value lay at or above the normalisation's mean and one standard deviation on either
 * side of it, by the probability that was forecast; bars hold 95 of 100 reliable forecasts.
 * @throws AtmorepError (usage) for a field or level that is not there
 */
export function reliabilityFigure(report: CalibrationReport, choice: CalibrationChoice = {}): Figure {
  const { field, level, leaf } = chosenCalibration(report, choice);
  const after = "refused" in leaf.calibrated ? undefined : leaf.calibrated.reliability;
  const panels = Object.entries(leaf.reliability).map(([name, bins]) =>
    reliabilityPanel(`at or above the ${Object.hasOwn(EVENTS, name) ? EVENTS[name] : name}`, bins, after?.[name]),
  );
  const bins = Object.values(leaf.reliability).flat();
  const sure = bins.filter(({ note }) => note === undefined);
  const off = sure.filter(
    ({ observed, low, high }) => low !== null && high !== null && (observed < low || observed > high),
  );
  const told =
    sure.length > 0
      ? `Raw members: ${off.length} of ${sure.length} bins lie outside their bars; by chance 5 % would. `
      : "";
  return {
    title: titleOf("Reliability", field, level),
    columns: 3,
    width: 960,
    aspect: 1,
    caption: [
      `${caution(leaf, bins)} ${told}Bars stand around what a reliable ensemble of ${leaf.members} members shows, which is not quite the diagonal.`,
      fitted(report, leaf),
    ].join("\n"),
    panels,
  };
}

/**
 * Rank histogram of the raw members beside the probability integral transform of the calibrated distributions, each with
 * the bars of a flat one.
 * @throws AtmorepError (usage) for a field or level that is not there
 */
export function calibrationRanksFigure(report: CalibrationReport, choice: CalibrationChoice = {}): Figure {
  const { field, level, leaf } = chosenCalibration(report, choice);
  const after =
    "refused" in leaf.calibrated
      ? []
      : [ranksPanel("calibrated", "tenth of the distribution", leaf.calibrated.pit, CALIBRATED, "#7f3900")];
  return {
    title: titleOf("Ranks of the target", field, level),
    columns: 1 + after.length,
    width: after.length > 0 ? 860 : 460,
    aspect: 0.7,
    caption: `${caution(leaf, leaf.ranks)}\n${fitted(report, leaf)}`,
    panels: [ranksPanel("raw members", "members below the target", leaf.ranks, RAW, "#003d61"), ...after],
  };
}

/**
 * Error of the mean by spread, raw and calibrated.
 * @param unit of the field
 * @throws AtmorepError (usage) for a field or level that is not there
 */
export function spreadErrorFigure(report: CalibrationReport, choice: CalibrationChoice = {}, unit = ""): Figure {
  const { field, level, leaf } = chosenCalibration(report, choice);
  const after = "refused" in leaf.calibrated ? undefined : leaf.calibrated.spread_error;
  return {
    title: titleOf("Spread and error", field, level),
    columns: 1,
    width: 480,
    aspect: 0.9,
    caption: `${caution(leaf, leaf.spread_error)} Above the line forecasts are too sure; bars: 95 % intervals of the error.\n${fitted(report, leaf)}`,
    panels: [spreadPanel("", unit, leaf.spread_error, after)],
  };
}
