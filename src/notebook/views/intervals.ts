/** A score of each level, lead time and region with its interval, the best baseline beside it. */
import { MIN_BLOCKS, type ScoreEntry, type ScoreLeaf, type ScoreReport } from "../../scores/index.js";
import { categoryColor } from "../figure/palette.js";
import { fieldTitle, formatNumber, levelTitle } from "../figure/text.js";
import type { Figure, Mark, Panel } from "../figure/types.js";
import { rangeOf } from "./maps.js";
import { chosenScores, SCORE_TITLES, type ScoreChoice } from "./scores.js";

interface Row {
  label: string;
  leaf: ScoreLeaf;
}

/** Beyond so many lead times the names of the rows would run into each other; the figure over lead time has them all. */
const MOST_ROWS = 12;

/**
 * One panel each for levels, lead times and regions, where there is more than one; each row over everything else together.
 * @param hoursPerLead hours of one time step; null: leads are shown in steps
 * @throws AtmorepError (usage) for a field or region that is not there
 */
export function intervalsFigure(
  report: ScoreReport,
  { score = "rmse", ...choice }: Omit<ScoreChoice, "level"> & { score?: string } = {},
  hoursPerLead: number | null = null,
): Figure {
  const { name, region, all, byLead } = chosenScores(report, choice);
  const levels = Object.entries(report[name])
    .filter(([level]) => level !== "all")
    .map(([level, leads]) => ({ label: levelTitle(Number(level)), leaf: leads.all?.[region] }));
  const every = Math.ceil(byLead.length / MOST_ROWS);
  const lead = (steps: number) => (hoursPerLead === null ? `step ${steps}` : `${formatNumber(steps * hoursPerLead)} h`);
  const leads = byLead.filter((_, i) => i % every === 0).map(({ lead: steps, leaf }) => ({ label: lead(steps), leaf }));
  const regions = Object.entries(report[name].all.all).map(([label, leaf]) => ({ label, leaf }));
  const groups = [
    { title: "by level, all leads", rows: levels },
    { title: "by lead time, all levels", rows: leads },
    { title: "by region, all levels and leads", rows: regions },
  ].map(({ title, rows }) => ({ title, rows: rows.filter((row): row is Row => entryOf(row.leaf, score) !== null) }));
  const several = groups.filter(({ rows }) => rows.length > 1);
  const together = { title: `all levels and leads, ${region}`, rows: [{ label: "all", leaf: all }] };
  const shown = several.length > 0 ? several : [together];
  const few = Math.min(...shown.flatMap(({ rows }) => rows.map(({ leaf }) => leaf.blocks)));
  return {
    title: `${SCORE_TITLES[score] ?? score.replaceAll("_", " ")} with 95 % intervals: ${fieldTitle(name)}`,
    columns: Math.min(3, shown.length),
    aspect: Math.min(1.1, 0.25 + 0.06 * Math.max(...shown.map(({ rows }) => rows.length))),
    caption:
      few < MIN_BLOCKS
        ? `Down to ${few} independent ${few === 1 ? "block" : "blocks"} of initial times: such intervals prove nothing.`
        : "Student's t over independent blocks of initial times.",
    panels: shown.map(({ title, rows }) => panelOf(title, rows, score)),
  };
}

function entryOf(leaf: ScoreLeaf | undefined, score: string): (ScoreEntry & { value: number }) | null {
  const entry = leaf?.[score] as ScoreEntry | undefined;
  return typeof entry?.value === "number" ? (entry as ScoreEntry & { value: number }) : null;
}

/** That which the model is compared with; ridge regression is no simple baseline. */
function bestBaseline({ baselines = {}, minusBest }: ScoreEntry): number | null {
  if (minusBest) return baselines[minusBest.baseline];
  const values = Object.entries(baselines).flatMap(([name, value]) =>
    name === "ridge" || !Number.isFinite(value) ? [] : [value],
  );
  return values.length > 0 ? Math.min(...values) : null;
}

function panelOf(title: string, rows: readonly Row[], score: string): Panel {
  const points = rows.flatMap(({ leaf }, i) => {
    const entry = entryOf(leaf, score);
    return entry ? [{ y: rows.length - 1 - i, entry }] : [];
  });
  const known = points.filter(({ entry }) => entry.low != null && entry.high != null);
  const best = points.flatMap(({ y, entry }) => {
    const value = bestBaseline(entry);
    return value === null ? [] : [{ y, value }];
  });
  const marks: Mark[] = [
    {
      kind: "line",
      name: "95 % interval",
      color: categoryColor(4),
      width: 3,
      x: known.flatMap(({ entry }) => [entry.low as number, entry.high as number, null]),
      y: known.flatMap(({ y }) => [y, y, null]),
    },
    {
      kind: "points",
      name: "model",
      color: categoryColor(0),
      size: 8,
      x: points.map(({ entry }) => entry.value),
      y: points.map(({ y }) => y),
    },
    {
      kind: "points",
      name: "best baseline",
      color: categoryColor(1),
      size: 8,
      x: best.map(({ value }) => value),
      y: best.map(({ y }) => y),
    },
  ];
  const ends = known.flatMap(({ entry }) => [entry.low as number, entry.high as number]);
  const [low, high] = rangeOf([...points.map(({ entry }) => entry.value), ...best.map(({ value }) => value), ...ends]);
  const room = 0.08 * (high - low);
  return {
    title,
    x: {
      label: SCORE_TITLES[score] ?? score.replaceAll("_", " "),
      unit: points[0]?.entry.unit ?? "",
      range: [low >= 0 ? Math.max(0, low - room) : low - room, high + room],
    },
    y: {
      label: "",
      unit: "",
      range: [-0.6, rows.length - 0.4],
      ticks: rows.map(({ label }, i) => ({ value: rows.length - 1 - i, label })),
    },
    marks,
  };
}
