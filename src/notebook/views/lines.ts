/** Lines over one axis: for what no other view draws. */
import { AtmorepError } from "../../errors.js";
import { categoryColor } from "../figure/palette.js";
import type { Axis, Figure, Panel } from "../figure/types.js";

export interface LinesPanel {
  title?: string;
  /** label and unit, such as `["wind", "m/s"]` */
  x: readonly [label: string, unit: string];
  y: readonly [label: string, unit: string];
  /** values of the axis [n], ascending */
  at: ArrayLike<number>;
  /** by legend entry [n]; NaN breaks a line. A name has the same colour in every panel */
  lines: Readonly<Record<string, ArrayLike<number>>>;
  /** names that are dashed */
  dashed?: readonly string[];
  /** default from the values */
  yRange?: readonly [number, number];
  /** logarithmic axes */
  log?: { x?: boolean; y?: boolean };
}

export interface LinesOptions {
  caption?: string;
  /** panels a row; default 2, or 1 for one panel */
  columns?: number;
}

/** One panel a description. Values outside `yRange` are left out. */
export function linesFigure(title: string, panels: readonly LinesPanel[], options: LinesOptions = {}): Figure {
  const names = [...new Set(panels.flatMap(({ lines }) => Object.keys(lines)))];
  const columns = options.columns ?? Math.min(2, panels.length);
  return {
    title,
    columns,
    ...(columns === 1 ? { width: 640 } : {}),
    aspect: 0.6,
    ...(options.caption ? { caption: options.caption } : {}),
    panels: panels.map((panel) => linesPanel(panel, names)),
  };
}

function linesPanel({ title = "", x, y, at, lines, dashed = [], yRange, log }: LinesPanel, names: string[]): Panel {
  for (const [name, { length }] of Object.entries(lines)) {
    if (length === at.length) continue;
    throw new AtmorepError("usage", "a line needs one value for each place of its axis", {
      where: name,
      found: `${length} values`,
      expected: `${at.length}, as in "at"`,
      fix: "Give both from the same range.",
    });
  }
  const all = Object.values(lines).flatMap((values) => Array.from(values).filter(Number.isFinite));
  const range = yRange ?? rangeOf(all, log?.y === true);
  const axis = ([label, unit]: readonly [string, string], ends: readonly [number, number], isLog = false): Axis => ({
    label,
    unit,
    range: [ends[0], ends[1]],
    ...(isLog ? { type: "log" } : {}),
  });
  const place = Array.from(at);
  const [low, high] = [Math.min(...range), Math.max(...range)];
  return {
    title,
    x: axis(x, rangeOf(place, log?.x === true, 0), log?.x),
    y: axis(y, range, log?.y),
    marks: Object.entries(lines).map(([name, values]) => ({
      kind: "line",
      name,
      color: categoryColor(names.indexOf(name)),
      dash: dashed.includes(name),
      width: 1.8,
      x: place,
      y: Array.from(values, (value) => (Number.isFinite(value) && value >= low && value <= high ? value : null)),
    })),
  };
}

/** The values' range with a margin on both sides, never empty. */
function rangeOf(values: readonly number[], log: boolean, margin = 0.05): [number, number] {
  const kept = log ? values.filter((value) => value > 0) : values;
  if (kept.length === 0) return log ? [0.1, 1] : [0, 1];
  const [low, high] = [Math.min(...kept), Math.max(...kept)];
  if (log) return low < high ? [low / (margin ? 1.2 : 1), high * (margin ? 1.2 : 1)] : [low / 2, high * 2];
  const pad = high > low ? (high - low) * margin : Math.abs(high) || 1;
  return [low - pad, high + pad];
}
