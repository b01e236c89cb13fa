/** Maps: one field, small multiples over time and level, prediction against target, ensemble members. */
import { borders, coastlines } from "../coastlines.js";
import { fieldTitle, levelTitle } from "../figure/text.js";
import type { ColorScale, Figure, Mark, Panel } from "../figure/types.js";
import type { Grid } from "../grids.js";

const COAST = "#333333";
/** Degrees of longitude are shorter than those of latitude away from the equator. */
const STRETCH = 1.25;

/** What every map may have. */
export interface MapOptions {
  /** borders between countries; default false */
  borders?: boolean;
}

export interface MapPanelOptions extends MapOptions {
  title?: string;
  colors: ColorScale;
  colorbar?: boolean;
  /** inner panels of a grid */
  hideX?: boolean;
  hideY?: boolean;
  /** drawn over the map */
  over?: readonly Mark[];
}

/** Edges of a grid's cells: `[west, east]`, `[south, north]`. */
export function gridEdges({ lats, lons }: Pick<Grid, "lats" | "lons">): [[number, number], [number, number]] {
  const [dy, dx] = [spacing(lats), spacing(lons)];
  const [first, last] = [lats[0], lats[lats.length - 1]];
  const half = Math.abs(dy) / 2;
  return [
    [lons[0] - dx / 2, lons[lons.length - 1] + dx / 2],
    [Math.min(first, last) - half, Math.max(first, last) + half],
  ];
}

const spacing = (axis: Float64Array) => (axis.length > 1 ? (axis[axis.length - 1] - axis[0]) / (axis.length - 1) : 1);

/** One map with coastlines and axes in degrees. */
export function mapPanel(grid: Grid, options: MapPanelOptions): Panel {
  const { colors, colorbar = false, hideX = false, hideY = false, over = [] } = options;
  const { lats, lons } = grid;
  const [west, south] = gridEdges(grid);
  const hatch = hatching(grid);
  return {
    title: options.title ?? mapTitle(grid),
    x: { label: "longitude", unit: "°E", range: west, hidden: hideX },
    y: { label: "latitude", unit: "°N", range: south, hidden: hideY },
    marks: [
      {
        kind: "heatmap",
        values: visibleValues(grid),
        rows: lats.length,
        columns: lons.length,
        x: [lons[0], spacing(lons)],
        y: [lats[0], spacing(lats)],
        colors,
        colorbar,
      },
      ...(hatch.x.length > 0 ? [{ kind: "line" as const, name: HIDDEN, color: HATCH, width: 1, ...hatch }] : []),
      ...(options.borders ? [{ kind: "line" as const, color: COAST, width: 0.5, ...borders(west, south) }] : []),
      { kind: "line", color: COAST, width: 1, ...coastlines(west, south) },
      ...over,
    ],
  };
}

export const mapTitle = ({ field, level, time }: Grid): string =>
  `${fieldTitle(field)}, ${levelTitle(level)}, ${time} UTC`;

const HATCH = "#888888";
const HIDDEN = "masked: the network sees nothing";
/** Lines of the hatching across a map, about. */
const HATCHES = 24;

/** Without what masked tokens hold: it is the mean, which nobody has seen. */
export const visibleValues = ({ values, hidden }: Pick<Grid, "values" | "hidden">): Float64Array =>
  hidden ? values.map((value, i) => (hidden[i] ? Number.NaN : value)) : values;

/** Diagonals over what is hidden, as one broken line: each cell's from its lower left to its upper right corner. */
function hatching({ lats, lons, hidden }: Grid): { x: (number | null)[]; y: (number | null)[] } {
  const [x, y]: (number | null)[][] = [[], []];
  if (!hidden) return { x, y };
  const [rows, columns] = [lats.length, lons.length];
  const [dy, dx] = [spacing(lats), spacing(lons)];
  const every = Math.max(1, Math.round(Math.max(rows, columns) / HATCHES));
  for (let sum = 0; sum < rows + columns - 1; sum += every) {
    let from = -1;
    for (let r = Math.min(sum, rows - 1); r >= -1; r--) {
      const inside = r >= 0 && sum - r < columns && hidden[r * columns + sum - r] === 1;
      if (inside && from < 0) from = r;
      if (inside || from < 0) continue;
      x.push(lons[0] + (sum - from - 0.5) * dx, lons[0] + (sum - r - 0.5) * dx, null);
      y.push(lats[0] + (from + 0.5) * dy, lats[0] + (r + 0.5) * dy, null);
      from = -1;
    }
  }
  return { x, y };
}

/** Height over width that keeps a map's proportions. */
export function mapAspect(grid: Grid): number {
  const [[west, east], [south, north]] = gridEdges(grid);
  return Math.min(1.3, Math.max(0.3, ((north - south) / (east - west)) * STRETCH));
}

/** The least and greatest finite value of some arrays; a little room if they are equal. */
export function rangeOf(...arrays: ArrayLike<number>[]): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const array of arrays) {
    for (let i = 0; i < array.length; i++) {
      if (!Number.isFinite(array[i])) continue;
      if (array[i] < low) low = array[i];
      if (array[i] > high) high = array[i];
    }
  }
  if (low > high) return [0, 1];
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}

/** A range around zero, for differences. */
function symmetricRange(...arrays: ArrayLike<number>[]): [number, number] {
  const most = Math.max(...rangeOf(...arrays).map(Math.abs));
  return [-most, most];
}

/** The smaller side of a signed field is at least this share of the larger: -1e-9 mm of rain is noise. */
const SIGNED = 0.02;

/** Colours for values on both sides of 0 (red and blue, white at 0) or on one. */
export function valueColors(unit: string, ...arrays: ArrayLike<number>[]): ColorScale {
  const range = rangeOf(...arrays);
  const signed = range[0] < 0 && Math.min(-range[0], range[1]) >= SIGNED * Math.max(-range[0], range[1]);
  return signed
    ? { palette: "RdBu", range: symmetricRange(...arrays), label: unit, unit: "" }
    : { palette: "viridis", range, label: unit, unit: "" };
}

/** One field of a store or batch on the map. */
export function mapFigure(grid: Grid, options: MapOptions = {}): Figure {
  return {
    title: mapTitle(grid),
    columns: 1,
    width: 640,
    aspect: mapAspect(grid),
    panels: [mapPanel(grid, { title: "", colors: amounts(grid), colorbar: true, ...options })],
  };
}

/** One colour scale for the values of some grids, labelled with their unit. */
export const amounts = (...grids: Grid[]): ColorScale => valueColors(grids[0].unit, ...grids.map(visibleValues));

/** The same field at several times or levels on one colour scale. */
export function multiplesFigure(title: string, grids: readonly Grid[], columns = 3, options: MapOptions = {}): Figure {
  const colors = amounts(...grids);
  const across = Math.min(columns, grids.length);
  return {
    title,
    columns: across,
    aspect: mapAspect(grids[0]),
    panels: grids.map((grid, i) =>
      mapPanel(grid, {
        title: `${levelTitle(grid.level)}, ${grid.time} UTC`,
        colors,
        colorbar: i === across - 1,
        ...inner(i, across, grids.length),
        ...options,
      }),
    ),
  };
}

/** Panels inside a grid leave their labels to the left column and the bottom row. */
export const inner = (i: number, columns: number, count: number) => ({
  hideX: i + columns < count,
  hideY: i % columns !== 0,
});

/** One panel and a slider over time; SVG shows the first time. */
export function sliderFigure(title: string, grids: readonly Grid[], options: MapOptions = {}): Figure {
  const colors = amounts(...grids);
  const frames = grids.map((grid) => ({
    label: grid.time,
    panels: [mapPanel(grid, { title: "", colors, colorbar: true, ...options })],
  }));
  return {
    title,
    columns: 1,
    width: 640,
    aspect: mapAspect(grids[0]),
    panels: frames[0].panels,
    frames,
    frameLabel: "time (UTC)",
    caption: `${grids.length} times, from ${grids[0].time} UTC; the slider needs JupyterLab, elsewhere the first is shown.`,
  };
}

export interface PredictionGrids {
  target: Grid;
  prediction: Grid;
  /** standard deviation of the ensemble members */
  spread?: Grid;
}

/** Target, prediction, their difference and the ensemble's spread; points that were not hidden stay blank. */
export function predictionFigure({ target, prediction, spread }: PredictionGrids, options: MapOptions = {}): Figure {
  const error = { ...target, values: prediction.values.map((value, i) => value - target.values[i]) };
  const { unit } = target;
  const both = amounts(target, prediction);
  const panels: [string, Grid, ColorScale][] = [
    ["target", target, both],
    ["prediction (ensemble mean)", prediction, both],
    [
      "error: prediction - target",
      error,
      { palette: "RdBu", range: symmetricRange(error.values), label: unit, unit: "" },
    ],
  ];
  if (spread) {
    const range: [number, number] = [0, rangeOf(spread.values)[1]];
    panels.push(["spread of the members", spread, { palette: "cividis", range, label: unit, unit: "" }]);
  }
  return {
    title: mapTitle(target),
    columns: 2,
    aspect: mapAspect(target),
    caption: "Only hidden points are predicted; the others are blank.",
    panels: panels.map(([title, grid, colors], i) =>
      mapPanel(grid, { title, colors, colorbar: true, ...inner(i, 2, panels.length), ...options }),
    ),
  };
}

/** The members of an ensemble beside each other, as differences from their mean. */
export function membersFigure(members: readonly Grid[], columns = 4, options: MapOptions = {}): Figure {
  const mean = members[0].values.map(
    (_, i) => members.reduce((sum, { values }) => sum + values[i], 0) / members.length,
  );
  const off = members.map((grid) => ({ ...grid, values: grid.values.map((value, i) => value - mean[i]) }));
  const colors: ColorScale = {
    palette: "RdBu",
    range: symmetricRange(...off.map(({ values }) => values)),
    label: members[0].unit,
    unit: "",
  };
  const across = Math.min(columns, members.length);
  return {
    title: `Ensemble members minus their mean: ${mapTitle(members[0])}`,
    columns: across,
    aspect: mapAspect(members[0]),
    panels: off.map((grid, i) =>
      mapPanel(grid, {
        title: `member ${i + 1}`,
        colors,
        colorbar: i === across - 1,
        ...inner(i, across, off.length),
        ...options,
      }),
    ),
  };
}
