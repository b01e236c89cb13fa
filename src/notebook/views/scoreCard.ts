/** A score card as a figure: one panel a comparison and field, levels by lead times, triangles for what holds. */
import type { CardCell, CardComparison, ScoreCard } from "../../scores/index.js";
import { fieldTitle, formatNumber } from "../figure/text.js";
import type { CategoryScale, Figure, Mark, Panel } from "../figure/types.js";

const KINDS: CategoryScale = {
  categories: [
    { label: "better", color: "#4393c3" },
    { label: "better, alone", color: "#d1e5f0" },
    { label: "not apart", color: "#f7f7f7" },
    { label: "worse, alone", color: "#fddbc7" },
    { label: "worse", color: "#d6604d" },
    { label: "too few to tell", color: "#d9d9d9" },
  ],
};

/** Index into KINDS, and the sign that a cell bears. */
function kindOf({ outcome, difference, pValue }: CardCell): { kind: number; sign: string } {
  const alone = pValue !== null && pValue < 0.05;
  if (outcome === "too few") return { kind: 5, sign: "" };
  if (outcome === "better") return { kind: 0, sign: "▲" };
  if (outcome === "worse") return { kind: 4, sign: "▼" };
  if (!alone || difference === 0) return { kind: 2, sign: "" };
  return difference < 0 ? { kind: 1, sign: "△" } : { kind: 3, sign: "▽" };
}

/** Words for a comparison. */
export const comparisonTitle = ({ first, second }: Pick<CardComparison, "first" | "second">): string =>
  `${first} against ${second.replaceAll("_", " ")}`;

/** A comparison's count of findings beside what chance alone would give. */
export function comparisonSummary(comparison: CardComparison, falseDiscovery: number): string {
  const { tests, alone, expectedByChance, better, worse, tooFew } = comparison;
  const few = tooFew > 0 ? `; ${tooFew} cells have too few independent blocks to tell` : "";
  if (tests === 0) return `${comparisonTitle(comparison)}: no cell has enough independent blocks to tell.`;
  return `${comparisonTitle(comparison)}: ${better} of ${tests} cells better, ${worse} worse, of which at most ${formatNumber(100 * falseDiscovery)} % are expected to be false; alone ${alone} are below p = 0.05, where chance would give ${formatNumber(expectedByChance)}${few}.`;
}

/** What a card shows at first: runs against each other, and against their best baselines. */
export const shownComparisons = ({ comparisons }: ScoreCard): CardComparison[] =>
  comparisons.filter(({ kind }) => kind !== "baseline");

/**
 * @param hoursPerLead hours of one time step; null: leads are shown in steps
 * @param all also against each single baseline
 */
export function scoreCardFigure(card: ScoreCard, hoursPerLead: number | null = null, all = false): Figure {
  const comparisons = all ? card.comparisons : shownComparisons(card);
  const fields = [...new Set(comparisons.flatMap(({ cells }) => cells.map(({ field }) => field)))];
  const rows = Math.max(
    ...fields.map(
      (field) => new Set(comparisons[0].cells.filter((cell) => cell.field === field).map((c) => c.level)).size,
    ),
  );
  const columns = Math.min(3, comparisons.length);
  const panels: Panel[] = [];
  for (const field of fields) {
    for (const comparison of comparisons) {
      const cells = comparison.cells.filter((cell) => cell.field === field);
      panels.push(cardPanel(`${comparisonTitle(comparison)}: ${fieldTitle(field)}`, cells, hoursPerLead));
    }
  }
  return {
    title: `Score card: ${card.score.replaceAll("_", " ")}, ${card.region}, ${card.times} initial times`,
    columns: comparisons.length > 3 ? columns : comparisons.length,
    width: Math.max(560, 320 * columns),
    aspect: Math.min(0.8, 0.2 + 0.12 * rows),
    caption: [
      ...comparisons.map((comparison) => comparisonSummary(comparison, card.falseDiscovery)),
      "Numbers: difference in percent. Filled triangles hold after correction for the number of cells (Benjamini and Hochberg), open ones only by themselves.",
      ...(comparisons.some(({ kind }) => kind === "best baseline")
        ? ["The best baseline is chosen cell by cell on the same times, which favours it a little."]
        : []),
    ].join("\n"),
    panels,
  };
}

function cardPanel(title: string, cells: readonly CardCell[], hoursPerLead: number | null): Panel {
  const leads = [...new Set(cells.map(({ lead }) => lead))].sort((a, b) => a - b);
  // pressures and model levels grow towards the ground, which belongs below
  const levels = [...new Set(cells.map(({ level }) => level))].sort((a, b) => b - a);
  const values = new Float64Array(leads.length * levels.length).fill(Number.NaN);
  const texts: { x: number; y: number; text: string }[] = [];
  for (const cell of cells) {
    const [x, y] = [leads.indexOf(cell.lead), levels.indexOf(cell.level)];
    const { kind, sign } = kindOf(cell);
    values[y * leads.length + x] = kind;
    const number = `${cell.percent > 0 ? "+" : ""}${Number(cell.percent.toPrecision(2))}`;
    texts.push({ x, y, text: leads.length <= 8 ? `${sign} ${number}`.trim() : sign });
  }
  const every = Math.ceil(leads.length / 10);
  const marks: Mark[] = [
    {
      kind: "heatmap",
      values,
      rows: levels.length,
      columns: leads.length,
      x: [0, 1],
      y: [0, 1],
      colors: KINDS,
    },
    {
      kind: "labels",
      color: "#222222",
      x: texts.map(({ x }) => x),
      y: texts.map(({ y }) => y),
      text: texts.map(({ text }) => text),
    },
  ];
  return {
    title,
    x: {
      label: hoursPerLead === null ? "lead time (steps)" : "lead time",
      unit: hoursPerLead === null ? "" : "h",
      range: [-0.5, leads.length - 0.5],
      ticks: leads
        .map((lead, value) => ({ value, label: formatNumber(lead * (hoursPerLead ?? 1)) }))
        .filter(({ value }) => value % every === 0),
    },
    y: {
      label: "level",
      unit: "",
      range: [-0.5, levels.length - 0.5],
      ticks: levels.map((level, value) => ({ value, label: level === 0 ? "sfc" : String(level) })),
    },
    marks,
  };
}
