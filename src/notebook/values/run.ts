/** A run: how it ended, what it scores against the baselines, and its curves in small. */
import type { FieldSkill, FinishedEvent } from "../../runs/events.js";
import type { RunDetails } from "../../runs/list.js";
import { canBeQuick, quickSvg } from "../figure/quick.js";
import { formatNumber } from "../figure/text.js";
import type { Figure, Panel } from "../figure/types.js";
import { trainingFigure } from "../views/training.js";
import type { Entry, Summary } from "./entry.js";

/** What `nb.train` returns, as far as it is shown. */
interface Trained {
  runId: string;
  out: string;
  finished: FinishedEvent | null;
  baselines: readonly FieldSkill[];
  figure: Figure;
}

export function trainedSummary(run: Trained): Summary {
  const { runId, out, finished, figure } = run;
  return {
    title: `Run ${runId}`,
    lines: [...(figure.caption ?? "").split("\n").slice(0, 1), `folder ${out}: results/id${runId}, models/id${runId}`],
    entries: [curves(figure, finished?.step ?? 0), ...scores(run)],
  };
}

/** What `readRun` returns. */
export function runSummary({ id, status, strategy, steps, fields, metrics, date, resultsDir }: RunDetails): Summary {
  const figure = trainingFigure({ runId: id, rows: metrics });
  return {
    title: `Run ${id}`,
    lines: [
      `${strategy.replaceAll("_", " ")} of ${fields.join(", ")}: ${status} after ${steps} steps, begun ${date.slice(0, 16)} UTC`,
      `folder ${resultsDir}`,
    ],
    entries: [curves(figure, steps)],
  };
}

/** Loss and validation of the first fields. */
const MOST_CURVES = 3;
const WIDTH = 300;

function curves({ panels }: Figure, steps: number): Entry {
  const shown = panels.filter(({ title, marks }) => /^(training|validation),/.test(title) && marks.length > 0);
  return {
    name: "curves",
    shape: `[steps] = [${steps}]`,
    unit: "",
    lines: [],
    drawings: shown.filter(canBeQuick).slice(0, MOST_CURVES).map(drawing),
  };
}

const drawing = (panel: Panel) => ({ alt: panel.title, svg: quickSvg(panel, WIDTH, 0.55, panel.title), width: WIDTH });

/** A line a field: the model, and the baselines from the best one on. */
function scores({ finished, baselines }: Trained): Entry[] {
  return (finished?.skill ?? baselines)
    .filter(({ kind }) => kind === "all")
    .map(({ field, unit, points, rmse }) => {
      const { model, ...others } = rmse;
      const ranked = Object.entries(others).sort(([, a], [, b]) => a - b);
      const text = (name: string, value: number) => `${name.replaceAll("_", " ")} ${formatNumber(value)}`;
      return {
        name: field,
        shape: `[points] = [${points}]`,
        unit,
        lines: [
          `RMSE on ${finished?.toldOn ?? "validation"}: ${[
            ...(model === undefined ? [] : [text("model", model)]),
            ...ranked.map(([name, value]) => text(name, value)),
          ].join(", ")}`,
        ],
      };
    });
}
