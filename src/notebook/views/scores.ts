/** The scores of an evaluation: over lead time, ranks, spectra. */
import { AtmorepError } from "../../errors.js";
import { MIN_BLOCKS, type ScoreEntry, type ScoreLeaf, type ScoreReport } from "../../scores/index.js";
import { categoryColor } from "../figure/palette.js";
import { fieldTitle } from "../figure/text.js";
import type { Figure, Line, Mark } from "../figure/types.js";
import { baselineColor } from "./colors.js";
import { rangeOf } from "./maps.js";

/** Which part of `scores.json`. */
export interface ScoreChoice {
  /** default the first */
  field?: string;
  /** level as in the store, or `all` (default) */
  level?: number | "all";
  /** default the first, which is `global` unless the configuration says otherwise */
  region?: string;
}

/** The leads of one field, level and region, `all` apart. @throws AtmorepError (usage) if there are none */
export function chosenScores(report: ScoreReport, { field, level = "all", region }: ScoreChoice) {
  const name = field ?? Object.keys(report)[0];
  const leads = report[name]?.[String(level)];
  const own = region ?? Object.keys(leads?.all ?? {})[0];
  if (!leads?.all?.[own]) {
    const levels = Object.keys(report[name] ?? {});
    const fault = !report[name] ? "field" : !leads ? "level" : "region";
    const known = { field: Object.keys(report), level: levels, region: Object.keys(leads?.all ?? {}) }[fault];
    throw new AtmorepError("usage", `the scores have no such ${fault}`, {
      where: fault,
      found: { field: name, level, region: own }[fault],
      expected: known.join(", "),
    });
  }
  const { all, ...each } = leads;
  const byLead = Object.entries(each)
    .map(([lead, regions]) => ({ lead: Number(lead), leaf: regions[own] }))
    .filter(({ leaf }) => leaf !== undefined)
    .sort((a, b) => a.lead - b.lead);
  return { name, level, region: own, all: all[own], byLead };
}

/**
 * A score over lead time with its 95 % interval, the baselines beside it.
 * @param hoursPerLead hours of one time step; null: leads are shown in steps
 * @throws AtmorepError (usage) for a field, level, region or score that is not there
 */
export function leadFigure(
  report: ScoreReport,
  { score = "rmse", ...choice }: ScoreChoice & { score?: string } = {},
  hoursPerLead: number | null = null,
): Figure {
  const { name, level, region, byLead, all } = chosenScores(report, choice);
  const points = byLead.flatMap(({ lead, leaf }) => {
    const entry = leaf[score] as ScoreEntry | undefined;
    return entry?.value == null ? [] : [{ x: lead * (hoursPerLead ?? 1), leaf, entry, value: entry.value }];
  });
  if (points.length === 0) {
    throw new AtmorepError("usage", "no lead time has this score", {
      where: "score",
      found: score,
      expected: Object.keys(all)
        .filter((key) => typeof (all[key] as ScoreEntry | undefined)?.value === "number")
        .join(", "),
    });
  }
  const x = points.map((point) => point.x);
  const known = points.filter(({ entry }) => entry.low != null && entry.high != null);
  const baselines = Object.keys(points[0].entry.baselines ?? {});
  const lines = baselines.map(
    (baseline): Line => ({
      kind: "line",
      name: baseline.replaceAll("_", " "),
      color: baselineColor(baseline),
      dash: true,
      x,
      y: points.map(({ entry }) => entry.baselines?.[baseline] ?? null),
    }),
  );
  const values = [
    ...points.map(({ value }) => value),
    ...known.flatMap(({ entry }) => [entry.low as number, entry.high as number]),
    ...lines.flatMap(({ y }) => y.filter((v) => v !== null)),
  ];
  const [low, high] = rangeOf(values);
  const room = 0.08 * (high - low);
  const blocks = Math.min(...points.map(({ leaf, entry }) => entry.blocks ?? leaf.blocks));
  const marks: Mark[] = [
    ...(known.length > 1
      ? [
          {
            kind: "band" as const,
            name: "95 % interval",
            // no transparency, which not every program that reads SVG knows
            color: "#d0e3f0",
            x: known.map((point) => point.x),
            lower: known.map(({ entry }) => entry.low as number),
            upper: known.map(({ entry }) => entry.high as number),
          },
        ]
      : []),
    ...lines,
    { kind: "line", name: "model", color: categoryColor(0), width: 2, x, y: points.map(({ value }) => value) },
    { kind: "points", color: categoryColor(0), x, y: points.map(({ value }) => value) },
  ];
  const step = hoursPerLead ?? 1;
  const where = level === "all" ? "all levels" : `level ${level}`;
  return {
    title: `${SCORE_TITLES[score] ?? score.replaceAll("_", " ")} over lead time: ${fieldTitle(name)}, ${where}, ${region}`,
    columns: 1,
    width: 640,
    caption: [
      ...(known.length > 1 ? ["Band: 95 %, Student's t over independent blocks of initial times."] : []),
      blocks < MIN_BLOCKS
        ? `${blocks} independent ${blocks === 1 ? "block" : "blocks"}: too few to tell whether the differences hold.`
        : `${blocks} independent blocks.`,
    ].join(" "),
    panels: [
      {
        title: "",
        x: {
          label: hoursPerLead === null ? "time steps since the last visible one" : "time since the last visible step",
          unit: hoursPerLead === null ? "" : "h",
          range: [x[0] - 0.4 * step, x[x.length - 1] + 0.4 * step],
          ...(x.length <= 16 ? { ticks: x.map((value) => ({ value, label: String(value) })) } : {}),
        },
        y: {
          label: SCORE_TITLES[score] ?? score.replaceAll("_", " "),
          unit: points[0].entry.unit,
          range: [low >= 0 ? Math.max(0, low - room) : low - room, high + room],
        },
        marks,
      },
    ],
  };
}

export const SCORE_TITLES: Readonly<Record<string, string>> = {
  rmse: "RMSE",
  mae: "mean absolute error",
  crps: "CRPS",
  crps_fair: "fair CRPS",
  crps_gaussian: "Gaussian CRPS",
  acc: "anomaly correlation",
};

/** Rank histogram of a whole evaluation. @throws AtmorepError (usage) without one */
export function rankSharesFigure(leaf: ScoreLeaf, title: string): Figure {
  const shares = leaf.rank_histogram?.value;
  if (!shares) {
    throw new AtmorepError("usage", "the scores have no rank histogram", { expected: "two or more members" });
  }
  return sharesFigure(
    shares,
    title,
    `${leaf.points.toLocaleString("en-US")} points at ${leaf.times} initial times, weighted by area; they are not independent of each other.`,
  );
}

/** Shares of the ranks 0 to E beside the flat line of a reliable ensemble. */
export function sharesFigure(shares: readonly number[], title: string, caption: string): Figure {
  const flat = 1 / shares.length;
  return {
    title,
    columns: 1,
    width: 460,
    aspect: 0.7,
    caption,
    panels: [
      {
        title: "",
        x: {
          label: "members below the target",
          unit: "",
          range: [-0.6, shares.length - 0.4],
          ticks: shares.map((_, k) => ({ value: k, label: String(k) })),
        },
        y: { label: "share of points", unit: "", range: [0, 1.1 * Math.max(flat, ...shares)] },
        marks: [
          {
            kind: "bars",
            name: "target's rank",
            color: categoryColor(0),
            width: 0.9,
            x: shares.map((_, k) => k),
            y: shares,
          },
          { kind: "rule", name: "reliable", axis: "y", value: flat, color: categoryColor(1), dash: true },
        ],
      },
    ],
  };
}

interface StoredSpectrum {
  model?: number[];
  target?: number[];
  refused?: string;
}

/**
 * Zonal spectra of forecasts and targets, from the scores of a level and a lead.
 * @throws AtmorepError (usage) with the reason if there are none
 */
export function scoredSpectra(report: ScoreReport, { level, ...choice }: ScoreChoice & { lead?: number } = {}) {
  const name = choice.field ?? Object.keys(report)[0];
  const own = level ?? Object.keys(report[name] ?? {}).find((key) => key !== "all");
  const { byLead, region } = chosenScores(report, { ...choice, level: own === undefined ? "all" : Number(own) });
  const wanted = byLead.filter(({ lead }) => choice.lead === undefined || lead === choice.lead);
  const found = wanted.map(({ lead, leaf }) => ({ lead, spectrum: leaf.zonal_spectrum as StoredSpectrum | undefined }));
  const last = found.findLast(({ spectrum }) => spectrum?.model !== undefined);
  if (!last) {
    throw new AtmorepError("usage", found[0]?.spectrum?.refused ?? "the evaluation has no spectra", {
      where: `${name}, level ${own}, ${region}`,
      expected: "forecasts that go around the globe, such as those of the mode global_forecast",
    });
  }
  const { model = [], target = [] } = last.spectrum as StoredSpectrum;
  return { name, level: Number(own), lead: last.lead, model, target };
}
