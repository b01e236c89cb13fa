/** Loss curves: live, afterwards, and of several runs. */
import type { RunConfig } from "../../config/types.js";
import type { FieldSkill } from "../../runs/events.js";
import type { MetricsRow } from "../../runs/metrics.js";
import { isValidationSeries, parseSeries, TRAINING_LOSS, validationLoss } from "../../runs/series.js";
import { learningRates } from "../../step/schedule.js";
import { categoryColor } from "../figure/palette.js";
import { fieldTitle, formatNumber } from "../figure/text.js";
import type { Axis, Figure, Mark, Panel } from "../figure/types.js";
import { MODEL_COLOR, termStyle } from "./colors.js";
import { curvePanel, type Point, stepAxis, stepsAPoint, valueAxis } from "./curves.js";
import { rangeOf } from "./maps.js";
import { metricPanels } from "./metricPanels.js";
import { speeds } from "./progress.js";
import { rmsePanel, validatedFields } from "./rmsePanels.js";

/** What the figure of a run knows so far. */
export interface TrainingView {
  runId: string;
  /** rows of `metrics.jsonl` */
  rows: readonly MetricsRow[];
  /** scores of the baselines on the validation points */
  baselines?: readonly FieldSkill[];
  /** the model's scores, validation by validation */
  skills?: readonly { step: number; skill: readonly FieldSkill[] }[];
  /** the learning rate of steps, as they were done */
  rates?: readonly Point[];
  /** of the steps that were followed while they were done; no file holds them */
  gradientNorms?: readonly Point[];
  /** one line on how it stands */
  status?: string;
}

/**
 * What all fields share (loss, learning rate as it ran, speed, gradient norm), then one row a field: loss terms, smoothed
 * over raw, beside the RMSE of validations with the baselines; then registered metrics.
 */
export function trainingFigure(view: TrainingView): Figure {
  const steps = view.rows.filter((row) => TRAINING_LOSS in row);
  const last = view.rows.reduce((most, { step }) => Math.max(most, step), 1);
  const terms = termsByField(steps);
  const losses = [...new Set([...terms.values()].flat().flatMap((name) => lossOf(name) ?? []))];
  const group = stepsAPoint(steps.length, 2 * [...terms.values()].flat().length);
  const rmse = new Map(validatedFields(view).map((field) => [field, rmsePanel(field, view, last)]));
  const termPanel = (title: string, names: readonly string[]) =>
    curvePanel({
      title,
      label: "loss",
      unit: "normalised",
      curves: names.map((name) => ({ ...termStyle(name, losses), points: pointsOf(steps, name) })),
      last,
      group,
    });
  const shared = (steps.length === 0 ? [] : [termPanel("training, all fields", terms.get(null) ?? [])]).concat(
    sharedPanels(view, last),
  );
  const panels = [
    ...shared,
    // so that each field has a row of its own
    ...(shared.length % 2 === 0 ? [] : [meanPanel(view.rows, last)]),
    ...[...new Set([...terms.keys(), ...rmse.keys()])].flatMap((field) =>
      field === null
        ? []
        : [
            termPanel(`training, ${fieldTitle(field)}`, terms.get(field) ?? []),
            rmse.get(field)?.panel ?? rmsePanel(field, view, last).panel,
          ],
    ),
    ...metricPanels(view.rows, last),
  ];
  return {
    title: `Run ${view.runId}`,
    columns: Math.min(2, Math.max(1, panels.length)),
    width: 700,
    aspect: 0.55,
    stretch: true,
    caption: [
      view.status,
      group > 1 ? `Curves are means over ${group} steps.` : undefined,
      steps.length > 0 ? "Pale: as logged; over it the running mean." : undefined,
      view.baselines?.length ? "Dashed: the best baselines on the same validation points." : undefined,
      [...rmse.values()].some(({ scaled }) => scaled)
        ? "Validations before this process were logged in standard deviations; they are scaled as its first one."
        : undefined,
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

/** Names of what steps log; null: what no field owns. */
function termsByField(steps: readonly MetricsRow[]): Map<string | null, string[]> {
  const byField = new Map<string | null, string[]>([[null, []]]);
  for (const name of new Set(steps.flatMap((row) => Object.keys(row)))) {
    const series = parseSeries(name);
    if (series && !isValidationSeries(name)) byField.set(series.field, [...(byField.get(series.field) ?? []), name]);
  }
  return byField;
}

function lossOf(name: string): string | undefined {
  const series = parseSeries(name);
  return series?.kind === "term" ? series.loss : undefined;
}

const pointsOf = (rows: readonly MetricsRow[], name: string): Point[] =>
  rows.flatMap((row): Point[] => (typeof row[name] === "number" ? [[row.step, row[name]]] : []));

/** Learning rate, samples a second and gradient norm, as far as they are known. */
function sharedPanels({ rows, rates = [], gradientNorms = [] }: TrainingView, last: number): Panel[] {
  const panel = (title: string, label: string, unit: string, points: readonly Point[], color: string) => {
    const curves = [{ color, points }];
    return points.length === 0
      ? []
      : [curvePanel({ title, label, unit, curves, last, group: stepsAPoint(points.length, 1) })];
  };
  const rate = rateEnds(rates);
  const ran: Panel[] =
    rate.length === 0
      ? []
      : [
          {
            title: "learning rate as it ran",
            x: stepAxis(last),
            y: valueAxis(
              "learning rate",
              "",
              rate.map(([, value]) => value),
              "log",
            ),
            marks: [
              {
                kind: "line",
                color: "#44aa99",
                width: 2,
                x: rate.map(([step]) => step),
                y: rate.map(([, value]) => value),
              },
            ],
          },
        ];
  return [
    ...ran,
    ...panel("samples a second", "speed", "samples/s", speeds(rows), "#999933"),
    ...panel("gradient norm", "norm before clipping", "", gradientNorms, "#ee6677"),
  ];
}

/** The validation loss, mean over the fields. */
function meanPanel(rows: readonly MetricsRow[], last: number): Panel {
  const points = rows.flatMap((row): Point[] => {
    const loss = validationLoss(row);
    return loss === null ? [] : [[row.step, loss]];
  });
  const [x, y] = [points.map(([step]) => step), points.map(([, loss]) => loss)];
  const marks: Mark[] = [
    { kind: "line", name: "model", color: MODEL_COLOR, width: 2, x, y },
    { kind: "points", color: MODEL_COLOR, x, y },
  ];
  return {
    title: `${points.length === 0 ? "not validated yet" : "validation"}, mean over the fields`,
    x: stepAxis(last),
    y: valueAxis("mean squared error", "normalised", y),
    marks: points.length === 0 ? [] : marks,
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

/** Steps of a run with the configuration under which they were done. */
export interface RunPart {
  config: RunConfig;
  /** rows of metrics */
  rows: readonly MetricsRow[];
}

/** The learning rate of each step of some parts. */
export function ratePoints(parts: readonly RunPart[]): Point[] {
  return parts.flatMap(({ config, rows }) => {
    // a file may hold any number
    const num_epochs = Math.max(0, Math.min(config.num_epochs, MOST_EPOCHS));
    const rates = learningRates({ ...config, num_epochs });
    return rows
      .filter((row) => TRAINING_LOSS in row && row.epoch in rates)
      .map(({ step, epoch }): Point => [step, rates[epoch]]);
  });
}

/** Within an epoch it does not change: the two ends of each stretch are enough. */
const rateEnds = (points: readonly Point[]): Point[] =>
  points.filter(([, rate], i) => rate !== points[i - 1]?.[1] || rate !== points[i + 1]?.[1]);

/**
 * The learning rate of each step that was done.
 * @param parts of a run, in the order of steps
 */
export function learningRateRunFigure(parts: readonly RunPart[]): Figure {
  const ends = rateEnds(ratePoints(parts));
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
