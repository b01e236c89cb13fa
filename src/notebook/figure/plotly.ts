/** A figure for plotly.js: `application/vnd.plotly.v1+json`. */
import { log } from "../../math/index.js";
import {
  type Box,
  colorbarOf,
  colorbarTitle,
  FONT,
  type Layout,
  layoutFigure,
  panelTitle,
  shownTicks,
  tickCount,
  timeFormat,
} from "./layout.js";
import { paletteColors } from "./palette.js";
import { escapePlotly } from "./text.js";
import type { Axis, Figure, Heatmap, Mark, Panel } from "./types.js";
import { axisTitle, isContinuous } from "./types.js";

export type PlotlyTrace = Record<string, unknown>;

export interface PlotlyFigure {
  data: PlotlyTrace[];
  layout: Record<string, unknown>;
  frames?: { name: string; data: PlotlyTrace[]; traces: number[] }[];
  config?: Record<string, unknown>;
}

const SLIDER_HEIGHT = 100;
const PAD_X = 8;

/**
 * The figure as plotly.js takes it. Text is escaped: plotly.js reads some HTML in its labels.
 * @example Plotly.newPlot(element, plotlyFigure(figure).data, plotlyFigure(figure).layout)
 */
export function plotlyFigure(figure: Figure): PlotlyFigure {
  const places = layoutFigure(figure);
  const frames = figure.frames ?? [];
  const height = places.height + (frames.length > 1 ? SLIDER_HEIGHT : 0);
  const paper = { width: places.width, height };
  const data = figure.panels.flatMap((panel, p) => panelTraces(panel, p, places.panels[p], paper));
  const out: PlotlyFigure = {
    data,
    layout: layout(figure, places, paper),
    config: { displaylogo: false },
  };
  if (frames.length > 1) {
    out.frames = frames.map(({ label, panels }) => {
      const own = panels.flatMap((panel, p) => panelTraces(panel, p, places.panels[p], paper));
      const traces = own.flatMap((trace, i) => (trace.type === "heatmap" ? [i] : []));
      return { name: escapePlotly(label), traces, data: traces.map((i) => ({ type: "heatmap", z: own[i].z })) };
    });
    out.layout.sliders = [
      slider(
        figure,
        frames.map(({ label }) => escapePlotly(label)),
        paper.height,
      ),
    ];
  }
  return out;
}

interface Paper {
  width: number;
  height: number;
}

function layout(figure: Figure, places: Layout, paper: Paper): Record<string, unknown> {
  const axes: Record<string, unknown> = {};
  for (const [p, panel] of figure.panels.entries()) {
    const box = places.panels[p];
    const n = suffix(p);
    const across = [box.x / paper.width, (box.x + box.width) / paper.width];
    const up = [1 - (box.y + box.height) / paper.height, 1 - box.y / paper.height];
    axes[`xaxis${n}`] = axis("x", panel.x, { domain: across, anchor: `y${n}`, pixels: box.width });
    axes[`yaxis${n}`] = axis("y", panel.y, { domain: up, anchor: `x${n}`, pixels: box.height });
  }
  return {
    width: paper.width,
    height: paper.height,
    autosize: false,
    margin: { l: 0, r: 0, t: 0, b: 0 },
    paper_bgcolor: "white",
    plot_bgcolor: "white",
    font: { family: "sans-serif", size: FONT.axis, color: "#222" },
    showlegend: false,
    bargap: 0,
    hovermode: "closest",
    shapes: legendSamples(places, paper),
    annotations: [...titles(figure, places, paper), ...legendNames(places, paper)],
    ...axes,
    ...scaleButtons(figure, places),
  };
}

const SCALES = { linear: "linear", log: "log" } as const;
/** Pixels of a pair of buttons. */
const BUTTONS = 150;

/** Above the figure: which scale the axes have that know two. */
function scaleButtons({ panels, width = 860 }: Figure, places: Layout): Record<string, unknown> {
  const menus = (["y", "x"] as const).flatMap((side) => {
    const own = panels.flatMap((panel, p) => (panel[side].also ? [{ p, axis: panel[side] }] : []));
    if (own.length === 0) return [];
    const types = own.map(({ axis }) => axis.type ?? "linear");
    const buttons = (["linear", "log"] as const).map((type) => {
      const changes = own.flatMap(({ p, axis }) => {
        const scaled = (axis.type ?? "linear") === type ? axis : { ...axis, ...axis.also };
        return Object.entries(scaleOf(scaled)).map(([key, value]) => [`${side}axis${suffix(p)}.${key}`, value]);
      });
      return { label: `${side} ${SCALES[type]}`, method: "relayout", args: [Object.fromEntries(changes)] };
    });
    return [{ buttons, active: types.every((type) => type === types[0]) ? (types[0] === "log" ? 1 : 0) : -1 }];
  });
  if (menus.length === 0) return {};
  return {
    updatemenus: menus.map((menu, k) => ({
      ...menu,
      type: "buttons",
      direction: "right",
      x: (PAD_X + k * BUTTONS) / width,
      xanchor: "left",
      y: 1 + 3 / places.height,
      yanchor: "bottom",
      pad: { l: 0, r: 0, t: 0, b: 0 },
      bgcolor: "rgba(0,0,0,0)",
      bordercolor: "#888",
      font: { size: FONT.tick },
    })),
  };
}

/** Type, ends and ticks of an axis. */
function scaleOf(axis: Axis): Record<string, unknown> {
  const { type = "linear" } = axis;
  const ticks = shownTicks(axis);
  return {
    type: type === "time" ? "date" : type,
    range: endsOf(axis),
    tickmode: ticks ? "array" : "auto",
    tickvals: ticks ? ticks.map((t) => t.value) : null,
    ticktext: ticks ? ticks.map((t) => escapePlotly(t.label)) : null,
    exponentformat: type === "linear" ? "none" : "B",
  };
}

function axis(
  side: "x" | "y",
  axis: Axis,
  { domain, anchor, pixels }: { domain: number[]; anchor: string; pixels: number },
): Record<string, unknown> {
  const { range, type = "linear", hidden } = axis;
  const ticks = shownTicks(axis);
  return {
    domain,
    anchor,
    type: type === "time" ? "date" : type,
    range: endsOf(axis),
    title: hidden
      ? undefined
      : { text: escapePlotly(axisTitle(axis)), standoff: side === "x" ? 4 : 2, font: { size: FONT.axis } },
    ...(ticks ? { tickvals: ticks.map((t) => t.value), ticktext: ticks.map((t) => escapePlotly(t.label)) } : {}),
    showticklabels: !hidden,
    tickfont: { size: FONT.tick },
    // as the other emitter writes small numbers; the default is 500µ
    ...(type === "linear" ? { exponentformat: "none" } : {}),
    nticks: tickCount(side, type, pixels) + 2,
    ...(type === "time" ? { tickformat: timeFormat(range), ticklabeloverflow: "allow" } : {}),
    ticks: "outside",
    ticklen: 4,
    tickcolor: "#888",
    linecolor: "#888",
    showline: true,
    mirror: true,
    zeroline: false,
    showgrid: false,
    automargin: false,
  };
}

/** As plotly.js takes the ends: logarithms, and times as text. */
function endsOf({ range, type }: Axis): (number | string)[] {
  if (type === "time") return range.map(isoTime);
  return type === "log" ? range.map((end) => log(end) / Math.LN10) : [...range];
}

const isoTime = (ms: number): string => new Date(ms).toISOString().replace("Z", "");
const suffix = (p: number): string => (p === 0 ? "" : String(p + 1));

function titles(figure: Figure, places: Layout, paper: Paper): Record<string, unknown>[] {
  const own = [text(places.title.map(escapePlotly).join("<br>"), 8, 6, paper, { size: FONT.title, bold: true })];
  for (const [p, panel] of figure.panels.entries()) {
    const { x, y } = places.panels[p];
    const lines = panelTitle(panel, places.panels[p]);
    if (panel.title)
      own.push(text(lines.map(escapePlotly).join("<br>"), x, y - 3, paper, { size: FONT.panel, above: true }));
  }
  if (places.caption.length > 0) {
    own.push(text(places.caption.map(escapePlotly).join("<br>"), 8, places.captionY, paper, { size: FONT.axis }));
  }
  return own;
}

/** Places text by pixels; `above`: `y` is its lower edge. */
function text(
  content: string,
  x: number,
  y: number,
  paper: Paper,
  { size, bold = false, above = false }: { size: number; bold?: boolean; above?: boolean },
): Record<string, unknown> {
  return {
    text: bold ? `<b>${content}</b>` : content,
    xref: "paper",
    yref: "paper",
    x: x / paper.width,
    y: 1 - y / paper.height,
    xanchor: "left",
    yanchor: above ? "bottom" : "top",
    align: "left",
    showarrow: false,
    borderpad: 0,
    font: { size },
  };
}

/** Beside its sample by pixels, so that a figure may be stretched. */
function legendNames({ legend }: Layout, paper: Paper): Record<string, unknown>[] {
  return legend.map(({ name, x, y }) => ({
    ...text(escapePlotly(name), x, y, paper, { size: FONT.axis }),
    xshift: 24,
  }));
}

/** The legend is drawn by hand, so that it stands where the other emitter has it. */
function legendSamples({ legend }: Layout, paper: Paper): Record<string, unknown>[] {
  return legend.map(({ shape, color, x, y }) => {
    const [top, bottom] = shape === "line" || shape === "dash" ? [y + 7, y + 7] : [y + 2, y + 12];
    const [left, right] = shape === "line" || shape === "dash" ? [x, x + 18] : [x + 4, x + 14];
    const box = {
      xsizemode: "pixel",
      xanchor: x / paper.width,
      x0: left - x,
      x1: right - x,
      y0: 1 - top / paper.height,
      y1: 1 - bottom / paper.height,
    };
    const refs = { xref: "paper", yref: "paper", ...box };
    if (top === bottom) {
      return { ...refs, type: "line", line: { color, width: 2, dash: shape === "dash" ? "5px,3px" : "solid" } };
    }
    return {
      ...refs,
      type: shape === "circle" ? "circle" : "rect",
      fillcolor: color,
      line: { color: "#888", width: 0.5 },
    };
  });
}

function panelTraces(panel: Panel, p: number, box: Box, paper: Paper): PlotlyTrace[] {
  const axes = { xaxis: `x${suffix(p)}`, yaxis: `y${suffix(p)}` };
  return panel.marks.map((mark) => ({ ...markTrace(mark, panel, box, paper), ...axes }));
}

function markTrace(mark: Mark, panel: Panel, box: Box, paper: Paper): PlotlyTrace {
  const xs = (values: readonly (number | null)[]) => coordinates(values, panel.x);
  const ys = (values: readonly (number | null)[]) => coordinates(values, panel.y);
  switch (mark.kind) {
    case "heatmap":
      return heatmapTrace(mark, panel, box, paper);
    case "line":
      return {
        ...scatter(mark, "lines"),
        x: xs(mark.x),
        y: ys(mark.y),
        ...(mark.opacity === undefined ? {} : { opacity: mark.opacity }),
        line: { color: mark.color, width: mark.width ?? 1.5, dash: mark.dash ? "6px,4px" : "solid" },
      };
    case "points":
      return {
        ...scatter(mark, "markers"),
        x: xs(mark.x),
        y: ys(mark.y),
        marker: { color: mark.color, size: mark.size ?? 5 },
      };
    case "bars":
      return {
        type: "bar",
        name: named(mark),
        x: xs(mark.x),
        y: mark.y,
        width: mark.width,
        marker: { color: mark.color },
      };
    case "band":
      return {
        ...scatter(mark, "lines"),
        ...filled(mark.color),
        x: xs([...mark.x, ...[...mark.x].reverse()]),
        y: ys([...mark.upper, ...[...mark.lower].reverse()]),
      };
    case "rects": {
      const corners = mark.boxes.flatMap(([x0, x1, y0, y1]) => [
        [x0, y0],
        [x1, y0],
        [x1, y1],
        [x0, y1],
        [x0, y0],
        [null, null],
      ]);
      return {
        ...scatter(mark, "lines"),
        x: xs(corners.map(([x]) => x)),
        y: ys(corners.map(([, y]) => y)),
        ...(mark.outline
          ? { line: { color: mark.color, width: 1 } }
          : { line: { color: mark.color, width: 0 }, fill: "toself", fillcolor: mark.color }),
      };
    }
    case "rule": {
      const along = mark.axis === "y" ? panel.x.range : panel.y.range;
      const at = [mark.value, mark.value];
      const [x, y] = mark.axis === "y" ? [along, at] : [at, along];
      const line = { color: mark.color, width: 1.2, dash: mark.dash ? "6px,4px" : "solid" };
      return { ...scatter(mark, "lines"), x: xs(x), y: ys(y), line };
    }
    case "labels":
      return {
        ...scatter(mark, "text"),
        x: xs(mark.x),
        y: ys(mark.y),
        text: mark.text.map(escapePlotly),
        textfont: { color: mark.color, size: FONT.tick },
      };
  }
}

const named = ({ name }: { name?: string }): string => escapePlotly(name ?? "");
const scatter = (mark: { name?: string }, mode: string): PlotlyTrace => ({
  type: "scatter",
  mode,
  name: named(mark),
  ...(mark.name ? {} : { hoverinfo: "skip" }),
});
const filled = (color: string): PlotlyTrace => ({ fill: "toself", fillcolor: color, line: { color, width: 0 } });

function coordinates(values: readonly (number | null)[], { type }: Axis): (number | string | null)[] {
  return type === "time" ? values.map((value) => (value === null ? null : isoTime(value))) : [...values];
}

function heatmapTrace(map: Heatmap, panel: Panel, box: Box, paper: Paper): PlotlyTrace {
  const { rows, columns, values, colors } = map;
  const centres = ([first, step]: readonly [number, number], n: number) =>
    Array.from({ length: n }, (_, i) => Number((first + i * step).toPrecision(9)));
  const z = Array.from({ length: rows }, (_, r) =>
    Array.from({ length: columns }, (_, c) => {
      const value = values[r * columns + c];
      return Number.isNaN(value) ? null : Number(value.toPrecision(5));
    }),
  );
  const trace: PlotlyTrace = {
    type: "heatmap",
    x: coordinates(centres(map.x, columns), panel.x),
    y: coordinates(centres(map.y, rows), panel.y),
    z,
  };
  if (!isContinuous(colors)) {
    const n = colors.categories.length;
    return {
      ...trace,
      zmin: -0.5,
      zmax: n - 0.5,
      colorscale: colors.categories.flatMap(({ color }, k) => [
        [k / n, color],
        [(k + 1) / n, color],
      ]),
      showscale: false,
      text: z.map((row) => row.map((k) => (k === null ? "" : escapePlotly(colors.categories[k].label)))),
      hovertemplate: "%{text}<extra></extra>",
    };
  }
  const anchors = paletteColors(colors.palette);
  return {
    ...trace,
    zmin: colors.range[0],
    zmax: colors.range[1],
    colorscale: anchors.map((color, k) => [k / (anchors.length - 1), color]),
    showscale: colorbarOf(panel) === map,
    colorbar: {
      x: (box.x + box.width + 8) / paper.width,
      xanchor: "left",
      xpad: 0,
      y: 1 - (box.y + box.height / 2) / paper.height,
      yanchor: "middle",
      ypad: 0,
      lenmode: "pixels",
      len: box.height,
      thickness: 12,
      tickfont: { size: FONT.tick },
      title: { text: colorbarTitle(colors).map(escapePlotly).join("<br>"), side: "top", font: { size: FONT.tick } },
    },
  };
}

function slider(figure: Figure, labels: readonly string[], height: number): Record<string, unknown> {
  return {
    active: 0,
    x: 0.1,
    len: 0.8,
    font: { size: FONT.tick },
    y: (SLIDER_HEIGHT - 4) / height,
    yanchor: "top",
    pad: { t: 0, b: 0 },
    currentvalue: { prefix: `${escapePlotly(figure.frameLabel ?? "frame")}: `, font: { size: FONT.axis } },
    steps: labels.map((label) => ({
      label,
      method: "animate",
      args: [[label], { mode: "immediate", frame: { duration: 0, redraw: true }, transition: { duration: 0 } }],
    })),
  };
}
