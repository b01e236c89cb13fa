/** One colour for one thing, in every figure of a run. */
import { GRADIENT_LOSS, parseSeries, TRAINING_LOSS } from "../../runs/series.js";
import { categoryColor } from "../figure/palette.js";

/** The model's scores. */
export const MODEL_COLOR = categoryColor(0);

const BASELINES: Readonly<Record<string, string>> = {
  persistence: "#d55e00",
  climatology: "#009e73",
  linear: "#cc79a7",
  as_seen: "#a6761d",
  visible_neighbours: "#7570b3",
  yesterday: "#e69f00",
  diurnal_climatology: "#44aa99",
  damped_persistence: "#882255",
  ridge: "#999933",
  climatological_ensemble: "#44aa99",
  dressed_persistence: "#882255",
};

/** Of a baseline; registered ones share grey. */
export const baselineColor = (name: string): string => BASELINES[name] ?? "#888888";

const OTHER_TERMS = ["#e69f00", "#009e73", "#cc79a7", "#d55e00", "#44aa99", "#882255"] as const;
const SQUARED_ERROR = { name: "mean squared error", color: categoryColor(4) } as const;

/** Legend entry and colour of a series that training logs; `losses` are all loss terms of the figure. */
export function termStyle(series: string, losses: readonly string[]): { name: string; color: string } {
  if (series === TRAINING_LOSS) return SQUARED_ERROR;
  if (series === GRADIENT_LOSS) return { name: "weighted total", color: categoryColor(6) };
  const parsed = parseSeries(series);
  if (parsed?.kind === "spread") return { name: "spread of the members", color: "#aa4499" };
  if (parsed?.kind !== "term") return { name: series, color: "#888888" };
  if (parsed.loss === "mse") return SQUARED_ERROR;
  const others = losses.filter((loss) => loss !== "mse");
  return { name: parsed.loss, color: OTHER_TERMS[others.indexOf(parsed.loss) % OTHER_TERMS.length] };
}
