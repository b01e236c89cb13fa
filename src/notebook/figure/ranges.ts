/** Ranges of axes that were given none: from what is drawn. */
import type { Axis, Figure, Mark, Panel } from "./types.js";

/** An axis of which only what matters is said. */
export type LooseAxis = Partial<Axis>;

/** A panel whose axes may lack anything; one without a title has none. */
export interface LoosePanel extends Omit<Panel, "title" | "x" | "y"> {
  title?: string;
  x?: LooseAxis;
  y?: LooseAxis;
}

/** A figure as one writes it by hand: ranges, labels, units and the number of columns may be left out. */
export interface LooseFigure extends Omit<Figure, "panels" | "columns" | "frames"> {
  panels: readonly LoosePanel[];
  columns?: number;
  frames?: readonly { label: string; panels: readonly LoosePanel[] }[];
}

/** Kept free beside what is drawn, as a share of its extent. */
const MARGIN = 0.04;
const LOG_MARGIN = 1.15;
/** From this number of panels on two stand side by side. */
const SIDE_BY_SIDE = 2;

/**
 * The figure with everything that it lacks. Frames share the ranges of all of them.
 * @example withRanges({ title: "u", panels: [{ marks: [{ kind: "line", color: "#000", x: [0, 1], y: [2, 5] }] }] });
 */
export function withRanges({ panels, frames, columns, ...figure }: LooseFigure): Figure {
  const shown = (panel: LoosePanel, p: number): Panel => {
    const marks = [...panel.marks, ...(frames ?? []).flatMap((frame) => frame.panels[p]?.marks ?? [])];
    const { title = "", x, y, ...rest } = panel;
    return { ...rest, title, x: wholeAxis(x, "x", marks), y: wholeAxis(y, "y", marks) };
  };
  return {
    ...figure,
    columns: columns ?? (panels.length >= SIDE_BY_SIDE ? 2 : 1),
    panels: panels.map(shown),
    ...(frames && { frames: frames.map((frame) => ({ label: frame.label, panels: frame.panels.map(shown) })) }),
  };
}

function wholeAxis(axis: LooseAxis = {}, side: "x" | "y", marks: readonly Mark[]): Axis {
  const { label = "", unit = "", range, ...rest } = axis;
  return { ...rest, label, unit, range: range ?? rangeOf(marks, side, axis.type === "log") };
}

/** From the least to the greatest number of a side that can be drawn; [0, 1], or [1, 10] of logarithms, where there is none. */
function rangeOf(marks: readonly Mark[], side: "x" | "y", log: boolean): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  let exact = true;
  for (const mark of marks) {
    exact &&= mark.kind === "heatmap";
    for (const value of extentOf(mark, side)) {
      if (!Number.isFinite(value) || (log && value <= 0)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  if (low > high) return log ? [1, 10] : [0, 1];
  if (low === high)
    return log ? [low / 2, high * 2] : [low - (Math.abs(low) || 1) / 2, high + (Math.abs(high) || 1) / 2];
  if (exact) return [low, high];
  if (log) return [low / LOG_MARGIN, high * LOG_MARGIN];
  const margin = (high - low) * MARGIN;
  // bars stand on the axis
  const onAxis = side === "y" && low === 0 && marks.some(({ kind }) => kind === "bars");
  return [onAxis ? 0 : low - margin, high + margin];
}

function* extentOf(mark: Mark, side: "x" | "y"): Generator<number> {
  switch (mark.kind) {
    case "heatmap": {
      const [first, step] = mark[side];
      const cells = side === "x" ? mark.columns : mark.rows;
      yield first - step / 2;
      yield first + (cells - 0.5) * step;
      return;
    }
    case "rule":
      if (mark.axis === side) yield mark.value;
      return;
    case "rects":
      for (const [x0, x1, y0, y1] of mark.boxes) yield* side === "x" ? [x0, x1] : [y0, y1];
      return;
    case "band":
      yield* side === "x" ? mark.x : [...mark.lower, ...mark.upper];
      return;
    case "bars":
      if (side === "y") yield 0;
      for (const value of mark[side]) yield* side === "x" ? [value - mark.width / 2, value + mark.width / 2] : [value];
      return;
    default:
      for (const value of mark[side]) if (value !== null) yield value;
  }
}
