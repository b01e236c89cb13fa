/** Where everything of a figure stands, in pixels: both emitters draw at these places. */
import { formatNumber } from "./text.js";
import type { Axis, Figure, Heatmap, Mark, Panel } from "./types.js";
import { axisTitle, isContinuous } from "./types.js";

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface LegendEntry {
  name: string;
  color: string;
  shape: "line" | "dash" | "square" | "circle";
  x: number;
  y: number;
}

export interface Layout {
  width: number;
  height: number;
  title: string[];
  panels: Box[];
  legend: LegendEntry[];
  caption: string[];
  captionY: number;
}

export const FONT = { title: 15, panel: 12, axis: 11, tick: 10 } as const;
const DEFAULT_WIDTH = 860;
const PAD = 8;
const LINE_HEIGHT = 15;
const TITLE_HEIGHT = 20;
const PANEL_TITLE_HEIGHT = 20;
const GUTTER = {
  left: 58,
  leftHidden: 12,
  bottom: 40,
  bottomHidden: 8,
  right: 10,
  rightTime: 34,
  colorbar: 78,
} as const;
/** Mean width of a character over its font size, on the wide side: neither emitter measures text. */
const CHARACTER = 0.58;

const textWidth = (text: string, size: number): number => text.length * size * CHARACTER;

/** The heatmap of a panel that wants its colour bar drawn. */
export const colorbarOf = (panel: Panel): Heatmap | undefined =>
  panel.marks.find(
    (mark): mark is Heatmap => mark.kind === "heatmap" && mark.colorbar === true && isContinuous(mark.colors),
  );

/** Computes the places of a figure's parts. */
export function layoutFigure(figure: Figure): Layout {
  const width = figure.width ?? DEFAULT_WIDTH;
  const inner = width - 2 * PAD;
  const title = figure.title === "" ? [] : wrap(figure.title, inner, FONT.title);
  const legendTop = PAD + title.length * TITLE_HEIGHT + 4;
  const legend = placeLegend(figure.legend === false ? [] : legendEntries(figure.panels), legendTop, inner);
  const top = legend.length > 0 ? legend[legend.length - 1].y + LINE_HEIGHT : legendTop;
  const grid = placePanels(figure, top, inner);
  const caption = figure.caption ? figure.caption.split("\n").flatMap((line) => wrap(line, inner, FONT.axis)) : [];
  const captionY = grid.bottom;
  const height = captionY + caption.length * LINE_HEIGHT + PAD;
  return { width, height, title, panels: grid.panels, legend, caption, captionY };
}

function placePanels(figure: Figure, top: number, inner: number): { panels: Box[]; bottom: number } {
  const { panels, columns, aspect = 0.6 } = figure;
  const rows = Math.ceil(panels.length / columns);
  const inColumn = (c: number) => panels.filter((_, i) => i % columns === c);
  const inRow = (r: number) => panels.slice(r * columns, (r + 1) * columns);
  const range = (n: number) => Array.from({ length: n }, (_, i) => i);
  const left = range(columns).map((c) => (inColumn(c).some(({ y }) => !y.hidden) ? GUTTER.left : GUTTER.leftHidden));
  // A date at the end of an axis is written half beyond it.
  const rightOf = (column: readonly Panel[]) => {
    if (column.some(colorbarOf)) return GUTTER.colorbar;
    return column.some(({ x }) => x.type === "time" && !x.hidden) ? GUTTER.rightTime : GUTTER.right;
  };
  const right = range(columns).map((c) => rightOf(inColumn(c)));
  const gutters = [...left, ...right].reduce((a, b) => a + b, 0);
  const width = Math.floor((inner - gutters) / columns);
  const height = Math.round(width * aspect);
  const boxes: Box[] = [];
  let y = top;
  for (const r of range(rows)) {
    let x = PAD;
    const titled = inRow(r).some((panel) => panel.title !== "");
    const titleLines = Math.max(...inRow(r).map((panel) => wrap(panel.title, width + 8, FONT.panel).length));
    const above = titled ? PANEL_TITLE_HEIGHT + (titleLines - 1) * LINE_HEIGHT : 6;
    for (let c = 0; c < inRow(r).length; c++) {
      boxes.push({ x: x + left[c], y: y + above, width, height });
      x += left[c] + width + right[c];
    }
    y += above + height + (inRow(r).some((panel) => !panel.x.hidden) ? GUTTER.bottom : GUTTER.bottomHidden);
  }
  return { panels: boxes, bottom: y };
}

/** About how many ticks fit an axis of so many pixels. */
export const tickCount = (side: "x" | "y", type: Axis["type"], pixels: number): number =>
  Math.max(2, Math.floor(pixels / (side === "y" ? 32 : type === "time" ? 110 : 70)));

/** An axis's own ticks, or for logarithms powers of ten (with twos and fives over few decades); else the emitter's. */
export function shownTicks({ ticks, type, range }: Axis): Axis["ticks"] {
  if (ticks || type !== "log") return ticks;
  const [low, high] = [Math.min(...range), Math.max(...range)];
  const steps = high / low > 1e3 ? [1] : [1, 2, 5];
  const out: { value: number; label: string }[] = [];
  for (let exponent = -30; exponent <= 30; exponent++) {
    for (const step of steps) {
      const value = Number(`${step}e${exponent}`);
      if (value >= low && value <= high) out.push({ value, label: formatNumber(value) });
    }
  }
  return out;
}

const DAY_MS = 86_400_000;

/** How both emitters (d3's format) write times, by how far apart the ends are. */
export function timeFormat([start, end]: readonly [number, number]): string {
  const days = Math.abs(end - start) / DAY_MS;
  return days > 1500 ? "%Y" : days > 120 ? "%Y-%m" : days > 4 ? "%Y-%m-%d" : "%m-%d %H:%M";
}

/** Lines of a panel's title, as wide as the panel. */
export const panelTitle = (panel: Panel, { width }: Box): string[] => wrap(panel.title, width + 8, FONT.panel);

/** Label and unit of a colour scale; two lines if one would not fit. */
export function colorbarTitle({ label, unit }: { label: string; unit: string }): string[] {
  const title = axisTitle({ label, unit });
  return textWidth(title, FONT.axis) > GUTTER.colorbar - 10 && unit ? [label, `(${unit})`] : [title];
}

function wrap(text: string, width: number, size: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && textWidth(`${last} ${word}`, size) <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

type Entry = Pick<LegendEntry, "name" | "color" | "shape">;

/** One entry a name, in the order of first appearance. */
export function legendEntries(panels: readonly Panel[]): Entry[] {
  const entries = new Map<string, Entry>();
  for (const mark of panels.flatMap(({ marks }) => marks)) {
    for (const entry of entriesOf(mark)) if (!entries.has(entry.name)) entries.set(entry.name, entry);
  }
  return [...entries.values()];
}

function entriesOf(mark: Mark): Entry[] {
  if (mark.kind === "heatmap") {
    if (isContinuous(mark.colors)) return [];
    return mark.colors.categories.map(({ label, color }) => ({ name: label, color, shape: "square" as const }));
  }
  if (!mark.name || mark.kind === "labels") return [];
  const dashed = (mark.kind === "line" || mark.kind === "rule") && mark.dash;
  const shape = {
    line: "line",
    rule: "line",
    points: "circle",
    bars: "square",
    band: "square",
    rects: "square",
  } as const;
  return [{ name: mark.name, color: mark.color, shape: dashed ? "dash" : shape[mark.kind] }];
}

function placeLegend(entries: readonly Entry[], top: number, inner: number): LegendEntry[] {
  let [x, y] = [PAD, top];
  return entries.map((entry) => {
    const width = 26 + textWidth(entry.name, FONT.axis) + 14;
    if (x > PAD && x + width > PAD + inner) [x, y] = [PAD, y + LINE_HEIGHT + 1];
    const placed = { ...entry, x, y };
    x += width;
    return placed;
  });
}
