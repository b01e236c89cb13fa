/**
 * A figure as plain data: what is drawn, in which units, on which ranges. Two emitters read it, `plotlyFigure` for
 * JupyterLab and `svgFigure` for everything that cannot run JavaScript; both show the same numbers.
 */

/** An axis. `range` runs from the left or bottom end to the other; it may descend. Times are milliseconds since 1970. */
export interface Axis {
  label: string;
  /** such as `hPa`; empty for counts and numbers without a unit */
  unit: string;
  range: [number, number];
  type?: "linear" | "log" | "time";
  /** in place of the emitter's own ticks */
  ticks?: readonly { value: number; label: string }[];
  /** inner panels of a grid leave out what the outer ones say */
  hidden?: boolean;
}

/** Colours for numbers. `palette` names one of `PALETTES`. */
export interface ColorScale {
  palette: "viridis" | "cividis" | "RdBu";
  range: [number, number];
  label: string;
  unit: string;
}

/** Colours for kinds: value k of a heatmap is `categories[k]`; the legend names them. */
export interface CategoryScale {
  categories: readonly { label: string; color: string }[];
}

interface Named {
  /** legend entry; marks of one name share it, unnamed marks have none */
  name?: string;
  color: string;
}

/** A cell's centre is `x[0] + column * x[1]`, `y[0] + row * y[1]`; `values` [rows, columns], NaN stays blank. */
export interface Heatmap {
  kind: "heatmap";
  values: ArrayLike<number>;
  rows: number;
  columns: number;
  x: [first: number, step: number];
  y: [first: number, step: number];
  colors: ColorScale | CategoryScale;
  /** draws the colour bar beside this panel */
  colorbar?: boolean;
}

/** A line through points; null breaks it. */
export interface Line extends Named {
  kind: "line";
  x: readonly (number | null)[];
  y: readonly (number | null)[];
  dash?: boolean;
  width?: number;
}

export interface Points extends Named {
  kind: "points";
  x: readonly number[];
  y: readonly number[];
  size?: number;
}

export interface Bars extends Named {
  kind: "bars";
  /** centres */
  x: readonly number[];
  y: readonly number[];
  /** in units of x */
  width: number;
}

/** The area between two lines. */
export interface Band extends Named {
  kind: "band";
  x: readonly number[];
  lower: readonly number[];
  upper: readonly number[];
}

/** Rectangles, each `[x0, x1, y0, y1]`. */
export interface Rects extends Named {
  kind: "rects";
  boxes: readonly (readonly [x0: number, x1: number, y0: number, y1: number])[];
  /** draws the outline only */
  outline?: boolean;
}

/** A straight line across the panel at a value of one axis. */
export interface Rule extends Named {
  kind: "rule";
  axis: "x" | "y";
  value: number;
  dash?: boolean;
}

/** Words or numbers at points of the panel, centred. */
export interface Labels extends Named {
  kind: "labels";
  x: readonly number[];
  y: readonly number[];
  text: readonly string[];
}

export type Mark = Heatmap | Line | Points | Bars | Band | Rects | Rule | Labels;

export interface Panel {
  title: string;
  x: Axis;
  y: Axis;
  marks: readonly Mark[];
}

export interface Figure {
  title: string;
  /** one or more lines under the figure: what is shown, and what it does not prove */
  caption?: string;
  /** row by row */
  panels: readonly Panel[];
  /** panels a row */
  columns: number;
  /** pixels; default 860 */
  width?: number;
  /** height of a panel over its width; default 0.6 */
  aspect?: number;
  /** the same panels at other times or levels, for a slider; `panels` shows the first; only heatmap values may differ */
  frames?: readonly { label: string; panels: readonly Panel[] }[];
  /** what the slider moves along */
  frameLabel?: string;
  /** false: pictures have no legend, because it stands beside them */
  legend?: boolean;
}

/** Label and unit as both emitters write them. */
export const axisTitle = ({ label, unit }: { label: string; unit: string }): string =>
  unit ? `${label} (${unit})` : label;

/** True for colours of numbers. */
export const isContinuous = (colors: ColorScale | CategoryScale): colors is ColorScale => "palette" in colors;
