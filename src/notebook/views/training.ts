/** Loss curves: live, afterwards, and of several runs. */
import type { RunConfig } from "../../config/types.js";
import type { FieldSkill } from "../../runs/events.js";
import type { MetricsRow } from "../../runs/metrics.js";
import { GRADIENT_LOSS, parseSeries, TRAINING_LOSS } from "../../runs/series.js";
import { learningRates } from "../../step/schedule.js";
import { categoryColor } from "../figure/palette.js";
import { fieldTitle, formatNumber } from "../figure/text.js";
import type { Axis, Figure, Line, Mark, Panel, Rule } from "../figure/types.js";
import { rangeOf } from "./maps.js";
import { metricPanels } from "./metricPanels.js";

/** What the figure of a run knows so far. */
export interface TrainingView {
  runId: string;
  /** rows of `metrics.jsonl` */
  rows: readonly MetricsRow[];
  /** scores of the baselines on the validation points */
  baselines?: readonly FieldSkill[];
  /** the model's scores, validation by validation */
  skills?: readonly { step: number; skill: readonly FieldSkill[] }[];
  /** one line on how it stands */
  status?: string;
}

/** Points a line; more are averaged, so that a live frame stays small. */
const MOST_POINTS = 300;

/** Loss terms of each field, the validation beside the baselines (physical units first), registered metrics. */
export function trainingFigure(view: TrainingView): Figure {
  const steps = view.rows.filter((row) => TRAINING_LOSS in row);
  const last = view.rows.reduce((most, { step }) => Math.max(most, step), 1);
  const panels = [...lossPanels(steps, last), ...validationPanels(view, last), ...metricPanels(view.rows, last)];
  const { lines: averaged } = thin(steps.map((row) => [row.step, 0]));
  return {
    title: `Run ${view.runId}`,
    columns: Math.min(2, Math.max(1, panels.length)),
    aspect: 0.55,
    caption: [
      view.status,
      averaged > 1 ? `Loss curves are means over ${averaged} steps.` : undefined,
      view.baselines?.length ? "Dashed: the best baselines on the same validation points." : undefined,
    ]
      .filter(Boolean)
      .join("\n"),
    panels: panels.length > 0 ? panels : [emptyPanel()],
  };
}

const emptyPanel = (): Panel => ({
  title: "waiting for the first step",
  x: { label: "optimiser step", unit: "", range: [0, 1] },
  y: { label: "loss", unit: "standard deviations squared", range: [0, 1] },
  marks: [],
});

function thin(points: readonly [x: number, y: number][]): { x: number[]; y: number[]; lines: number } {
  const lines = Math.max(1, Math.ceil(points.length / MOST_POINTS));
  const x: number[] = [];
  const y: number[] = [];
  for (let i = 0; i < points.length; i += lines) {
    const group = points.slice(i, i + lines);
    x.push(group[group.length - 1][0]);
    y.push(Number((group.reduce((sum, [, value]) => sum + value, 0) / group.length).toPrecision(5)));
  }
  return { x, y, lines };
}

/** One panel for the totals, one for the terms of each field. */
function lossPanels(steps: readonly MetricsRow[], last: number): Panel[] {
  if (steps.length === 0) return [];
  const byField = new Map<string, string[]>([["all fields", []]]);
  for (const name of new Set(steps.flatMap((row) => Object.keys(row)))) {
    const series = parseSeries(name);
    if (!series) continue;
    const field = series.field ?? "all fields";
    byField.set(field, [...(byField.get(field) ?? []), name]);
  }
  return [...byField].map(([field, own]) => {
    const lines = own.map((name, k): Line => {
      const points = steps.flatMap((row): [number, number][] =>
        typeof row[name] === "number" ? [[row.step, row[name]]] : [],
      );
      return { kind: "line", name: termName(name), color: termColor(name, k), ...thin(points) };
    });
    return lossPanel(field === "all fields" ? "training, all fields" : `training, ${fieldTitle(field)}`, lines, last);
  });
}

const TOTAL_NAMES: Readonly<Record<string, string>> = {
  [TRAINING_LOSS]: "mean squared error",
  [GRADIENT_LOSS]: "weighted total",
};

function termName(name: string): string {
  const series = parseSeries(name);
  if (series?.kind === "spread") return "spread of the members";
  return series?.kind === "term" ? series.loss : Object.hasOwn(TOTAL_NAMES, name) ? TOTAL_NAMES[name] : name;
}

function termColor(series: string, k: number): string {
  if (series === TRAINING_LOSS) return categoryColor(4);
  if (series === GRADIENT_LOSS) return categoryColor(6);
  return categoryColor(k + 1);
}

function lossPanel(title: string, lines: readonly Line[], last: number): Panel {
  const values = lines.flatMap(({ y }) => y.filter((v): v is number => v !== null));
  const positive = values.filter((v) => v > 0);
  const [low, high] = rangeOf(positive);
  const log = positive.length === values.length && positive.length > 0 && high / low > 5;
  const [bottom, top] = rangeOf(values);
  const room = 0.05 * (top - bottom);
  return {
    title,
    x: { label: "optimiser step", unit: "", range: [0, Math.max(1, last) * 1.02] },
    y: {
      label: "loss term",
      unit: "normalised",
      type: log ? "log" : "linear",
      range: log ? [low * 0.8, high * 1.25] : [bottom - room, top + room],
    },
    marks: lines,
  };
}

/** A panel a field for each unit: RMSE over steps with the baselines as horizontal lines. */
function validationPanels(view: TrainingView, last: number): Panel[] {
  const { rows, baselines = [], skills = [] } = view;
  const all = (skill: readonly FieldSkill[]) => skill.filter(({ kind }) => kind === "all");
  const fields = [
    ...new Set([
      ...all(baselines).map(({ field }) => field),
      ...rows.flatMap((row) => Object.keys(row).flatMap((name) => validationField(name) ?? [])),
    ]),
  ];
  return fields.flatMap((field, f) => {
    const base = all(baselines).find((skill) => skill.field === field);
    const physical = skills.flatMap(({ step, skill }): [number, number][] => {
      const own = all(skill).find((row) => row.field === field);
      return own?.rmse.model === undefined ? [] : [[step, own.rmse.model]];
    });
    const normalised = rows.flatMap((row): [number, number][] => {
      const name = Object.keys(row).find((key) => validationField(key) === field);
      return name === undefined ? [] : [[row.step, Math.sqrt(Number(row[name]))]];
    });
    const panels: Panel[] = [];
    if (base?.unit || physical.length > 0) {
      panels.push(rmsePanel(field, f, base?.unit ?? "", physical, base?.rmse ?? {}, last));
    }
    panels.push(rmsePanel(field, f, "standard deviations", normalised, base?.rmseNormalized ?? {}, last));
    return panels;
  });
}

/** The field whose validation loss a series is, if it is one field's. */
function validationField(name: string): string | undefined {
  const series = parseSeries(name);
  return series?.kind === "validation" ? (series.field ?? undefined) : undefined;
}

/** The best of the baselines are lines of a panel; tables have them all. */
const MOST_BASELINES = 4;

function rmsePanel(
  field: string,
  f: number,
  unit: string,
  points: readonly [number, number][],
  baselines: Readonly<Record<string, number>>,
  last: number,
): Panel {
  const known = Object.entries(baselines)
    .filter(([name]) => name !== "model")
    .sort(([, a], [, b]) => a - b)
    .slice(0, MOST_BASELINES);
  const [low, high] = rangeOf([...points.map(([, y]) => y), ...known.map(([, y]) => y)]);
  const room = 0.12 * (high - low);
  const x = points.map(([step]) => step);
  const y = points.map(([, value]) => value);
  return {
    title: `validation, ${fieldTitle(field)}`,
    x: { label: "optimiser step", unit: "", range: [0, Math.max(1, last) * 1.02] },
    y: { label: "RMSE", unit, range: [Math.max(0, low - room), high + room] },
    marks: [
      ...known.map(
        ([name, value], k): Rule => ({
          kind: "rule",
          name: name.replaceAll("_", " "),
          axis: "y",
          value,
          color: categoryColor(k + 1),
          dash: true,
        }),
      ),
      { kind: "line", name: "model", color: categoryColor(f === 0 ? 0 : 4), width: 2, x, y },
      { kind: "points", color: categoryColor(f === 0 ? 0 : 4), x, y },
    ],
  };
}

/** The learning rate of each epoch, as a configuration plans it. */
export function learningRateFigure(config: RunConfig): Figure {
  const y = Array.from(learningRates(config).subarray(0, config.num_epochs));
  const [x, color] = [y.map((_, i) => i), categoryColor(0)];
  const marks: Mark[] = [
    { kind: "line", color, x, y },
    { kind: "points", color, x, y },
  ];
  return ratesFigure({ label: "epoch", unit: "", range: [-0.5, y.length - 0.5] }, y, marks);
}

function ratesFigure(x: Axis, rates: readonly number[], marks: Mark[]): Figure {
  const [low, high] = rates.length > 0 ? [Math.min(...rates), Math.max(...rates)] : [1e-6, 1e-3];
  const y: Axis = { label: "learning rate", unit: "", type: "log", range: [low * 0.8, high * 1.25] };
  const title = rates.length > 0 ? "" : "no step was done";
  return { title: "Learning rate", columns: 1, width: 520, panels: [{ title, x, y, marks }] };
}

const MOST_EPOCHS = 1e6;

/**
 * The learning rate of each step that was done.
 * @param parts of a run, each with the configuration under which its rows of metrics were made
 */
export function learningRateRunFigure(parts: readonly { config: RunConfig; rows: readonly MetricsRow[] }[]): Figure {
  const points = parts.flatMap(({ config, rows }) => {
    // a file may hold any number
    const num_epochs = Math.max(0, Math.min(config.num_epochs, MOST_EPOCHS));
    const rates = learningRates({ ...config, num_epochs });
    return rows
      .filter((row) => TRAINING_LOSS in row && row.epoch in rates)
      .map(({ step, epoch }) => [step, rates[epoch]] as const);
  });
  // within an epoch it does not change: the two ends of each stretch are enough
  const ends = points.filter(([, rate], i) => rate !== points[i - 1]?.[1] || rate !== points[i + 1]?.[1]);
  const [x, y] = [ends.map(([step]) => step), ends.map(([, rate]) => rate)];
  const steps: Axis = { label: "optimiser step", unit: "", range: [0, Math.max(1, x.at(-1) ?? 1) * 1.02] };
  return ratesFigure(steps, y, [{ kind: "line", color: categoryColor(0), x, y }]);
}

/** Validation losses of several runs. */
export function comparisonFigure(
  ids: readonly string[],
  curves: readonly (readonly { epoch: number; step: number; loss: number }[])[],
): Figure {
  const losses = curves.flat().map(({ loss }) => loss);
  const [low, high] = rangeOf(losses);
  const room = 0.1 * (high - low);
  const last = Math.max(1, ...curves.flat().map(({ step }) => step));
  const best = curves.map(
    (curve, r) =>
      `${ids[r]}: ${curve.length ? formatNumber(Math.min(...curve.map(({ loss }) => loss))) : "not validated"}`,
  );
  return {
    title: "Validation loss of runs",
    columns: 1,
    width: 640,
    caption: `Least validation loss: ${best.join("; ")}.`,
    panels: [
      {
        title: "",
        x: { label: "optimiser step", unit: "", range: [0, last * 1.02] },
        y: { label: "mean squared error", unit: "normalised", range: [Math.max(0, low - room), high + room] },
        marks: curves.flatMap((curve, r) => {
          const points = {
            x: curve.map(({ step }) => step),
            y: curve.map(({ loss }) => loss),
            color: categoryColor(r),
          };
          return [
            { kind: "line" as const, name: ids[r], width: 2, ...points },
            { kind: "points" as const, ...points },
          ];
        }),
      },
    ],
  };
}
