/** A figure as a Vega specification, drawn to SVG without a browser. */
import type { Spec } from "vega";
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
import { heatmapImage } from "./png.js";
import type { Axis, Figure, Heatmap, Mark, Panel } from "./types.js";
import { axisTitle, isContinuous } from "./types.js";

type Json = Record<string, unknown>;

const value = (v: unknown) => ({ value: v });
const enter = (channels: Json): Json => ({ encode: { enter: channels } });

/** The Vega specification of a figure; its panels stand where `layoutFigure` puts them. */
export function vegaSpec(figure: Figure): Spec {
  const places = layoutFigure(figure);
  return {
    $schema: "https://vega.github.io/schema/vega/v6.json",
    width: places.width,
    height: places.height,
    padding: 0,
    autosize: "none",
    background: "white",
    config: { text: { font: "sans-serif" } },
    marks: [
      ...textLines(places.title, 8, 6 + FONT.title, FONT.title, "bold"),
      ...legendMarks(places),
      ...figure.panels.flatMap((panel, p) => panelMarks(panel, p, places.panels[p])),
      ...textLines(places.caption, 8, places.captionY + FONT.axis, FONT.axis),
    ],
  } as unknown as Spec;
}

/** Vega looks texts up among its signals, where it finds what every object has, such as `toString`. */
const plainText = (line: string): string => (line in {} ? `${line} ` : line);

function textLines(lines: readonly string[], x: number, y: number, size: number, weight = "normal"): Json[] {
  if (lines.length === 0) return [];
  const step = Math.round(size * 1.3);
  return lines.map((line, i) => ({
    type: "text",
    ...enter({
      x: value(x),
      y: value(y + i * step),
      text: value(plainText(line)),
      fontSize: value(size),
      fontWeight: value(weight),
      fill: value("#222"),
    }),
  }));
}

function legendMarks({ legend }: Layout): Json[] {
  return legend.flatMap(({ name, color, shape, x, y }) => {
    const isLine = shape === "line" || shape === "dash";
    const sample = isLine
      ? {
          type: "rule",
          ...enter({
            x: value(x),
            x2: value(x + 18),
            y: value(y + 7),
            stroke: value(color),
            strokeWidth: value(2),
            strokeDash: value(shape === "dash" ? [5, 3] : []),
          }),
        }
      : {
          type: "symbol",
          ...enter({
            x: value(x + 9),
            y: value(y + 7),
            size: value(90),
            shape: value(shape),
            fill: value(color),
            stroke: value("#888"),
            strokeWidth: value(0.5),
          }),
        };
    return [sample, ...textLines([name], x + 24, y + FONT.axis, FONT.axis)];
  });
}

function panelMarks(panel: Panel, p: number, box: Box): Json[] {
  const ticks = { x: `ticksX${p}`, y: `ticksY${p}` };
  const tickSignals = (["x", "y"] as const).flatMap((side) => {
    const own = shownTicks(panel[side]);
    return own ? [{ name: ticks[side], value: Object.fromEntries(own.map((t) => [String(t.value), t.label])) }] : [];
  });
  const data = panel.marks.flatMap((mark, m) => markData(mark, `p${p}m${m}`));
  const colorbar = colorbarOf(panel);
  const lines = panelTitle(panel, box);
  const step = Math.round(FONT.panel * 1.3);
  return [
    ...(panel.title ? textLines(lines, box.x, box.y - 6 - (lines.length - 1) * step, FONT.panel) : []),
    {
      type: "group",
      name: `panel${p}`,
      ...enter({ x: value(box.x), y: value(box.y), width: value(box.width), height: value(box.height) }),
      signals: tickSignals,
      data,
      scales: [
        scale("x", panel.x, [0, box.width]),
        scale("y", panel.y, [box.height, 0]),
        ...(colorbar && isContinuous(colorbar.colors) ? [colorScale(colorbar)] : []),
      ],
      axes: [axis("x", panel.x, ticks.x, box), axis("y", panel.y, ticks.y, box)],
      legends: colorbar ? [colorLegend(colorbar, box)] : [],
      marks: [
        {
          type: "group",
          ...enter({
            width: value(box.width),
            height: value(box.height),
            clip: value(true),
          }),
          marks: panel.marks.flatMap((mark, m) => drawMark(mark, panel, `p${p}m${m}`)),
        },
        {
          type: "rect",
          ...enter({
            x: value(0.5),
            y: value(0.5),
            width: value(box.width),
            height: value(box.height),
            stroke: value("#888"),
            strokeWidth: value(1),
          }),
        },
      ],
    },
  ];
}

function scale(name: string, { type = "linear", range }: Axis, pixels: [number, number]): Json {
  return { name, type: type === "time" ? "utc" : type, domain: range, range: pixels, zero: false, nice: false };
}

function colorScale({ colors }: Heatmap): Json {
  if (!isContinuous(colors)) throw new TypeError("kinds have no colour bar");
  const anchors = paletteColors(colors.palette);
  const [low, high] = colors.range;
  return {
    name: "color",
    type: "linear",
    domain: anchors.map((_, k) => low + ((high - low) * k) / (anchors.length - 1)),
    range: anchors,
    interpolate: "rgb",
    zero: false,
  };
}

function colorLegend({ colors }: Heatmap, box: Box): Json {
  if (!isContinuous(colors)) throw new TypeError("kinds have no colour bar");
  const title = colorbarTitle(colors);
  return {
    fill: "color",
    type: "gradient",
    orient: "none",
    legendX: box.width + 8,
    legendY: -2,
    direction: "vertical",
    gradientThickness: 12,
    gradientLength: Math.max(40, box.height - 8 - title.length * 13),
    tickCount: 5,
    format: "~r",
    title,
    titleFontSize: FONT.tick,
    titleFontWeight: "normal",
    labelFontSize: FONT.tick,
  };
}

function axis(side: "x" | "y", own: Axis, tickNames: string, box: Box): Json {
  const { hidden } = own;
  const ticks = shownTicks(own);
  return {
    orient: side === "x" ? "bottom" : "left",
    scale: side,
    ticks: true,
    tickSize: 4,
    // Vega would thin given values to about as many.
    ...(ticks ? {} : { tickCount: tickCount(side, own.type, side === "x" ? box.width : box.height) }),
    ...(own.type === "time" ? { format: timeFormat(own.range), formatType: "utc" } : {}),
    ...(own.type === undefined || own.type === "linear" ? { format: "~r" } : {}),
    labels: !hidden,
    labelFontSize: FONT.tick,
    labelFlush: false,
    labelOverlap: !ticks,
    titleFontSize: FONT.axis,
    titleFontWeight: "normal",
    tickColor: "#888",
    domainColor: "#888",
    ...(hidden ? {} : { title: axisTitle(own), titlePadding: side === "x" ? 4 : 8 }),
    ...(ticks
      ? {
          values: ticks.map((t) => t.value),
          encode: { labels: { update: { text: { signal: `${tickNames}[''+datum.value]` } } } },
        }
      : {}),
  };
}

/** Rows that the marks of `drawMark` read. */
function markData(mark: Mark, name: string): Json[] {
  switch (mark.kind) {
    case "heatmap":
    case "rule":
      return [];
    case "rects":
      return [{ name, values: mark.boxes.map(([x0, x1, y0, y1]) => ({ x0, x1, y0, y1 })) }];
    case "band":
      return [{ name, values: mark.x.map((x, i) => ({ x, lower: mark.lower[i], upper: mark.upper[i] })) }];
    case "labels":
      return [{ name, values: mark.x.map((x, i) => ({ x, y: mark.y[i], text: mark.text[i] })) }];
    case "line":
      return [{ name, values: mark.x.map((x, i) => ({ x, y: mark.y[i], shown: x !== null && mark.y[i] !== null })) }];
    default:
      return [{ name, values: mark.x.map((x, i) => ({ x, y: mark.y[i] })) }];
  }
}

const at = (axis: "x" | "y", field: string = axis) => ({ scale: axis, field });

function drawMark(mark: Mark, panel: Panel, data: string): Json[] {
  const from = { from: { data } };
  switch (mark.kind) {
    case "heatmap":
      return [image(mark, panel)];
    case "line":
      return [
        {
          type: "line",
          ...from,
          ...enter({
            x: at("x"),
            y: at("y"),
            defined: { field: "shown" },
            stroke: value(mark.color),
            strokeWidth: value(mark.width ?? 1.5),
            strokeDash: value(mark.dash ? [6, 4] : []),
            ...(mark.opacity === undefined ? {} : { strokeOpacity: value(mark.opacity) }),
          }),
        },
      ];
    case "points": {
      const size = mark.size ?? 5;
      return [
        {
          type: "symbol",
          ...from,
          ...enter({ x: at("x"), y: at("y"), size: value(size * size), fill: value(mark.color) }),
        },
      ];
    }
    case "bars":
      return [
        {
          type: "rect",
          ...from,
          ...enter({
            x: { scale: "x", signal: `datum.x - ${mark.width / 2}` },
            x2: { scale: "x", signal: `datum.x + ${mark.width / 2}` },
            y: at("y"),
            y2: { scale: "y", value: panel.y.type === "log" ? Math.min(...panel.y.range) : 0 },
            fill: value(mark.color),
          }),
        },
      ];
    case "band":
      return [
        {
          type: "area",
          ...from,
          ...enter({ x: at("x"), y: at("y", "upper"), y2: at("y", "lower"), fill: value(mark.color) }),
        },
      ];
    case "rects": {
      const paint = mark.outline ? { stroke: value(mark.color), strokeWidth: value(1) } : { fill: value(mark.color) };
      return [
        {
          type: "rect",
          ...from,
          ...enter({ x: at("x", "x0"), x2: at("x", "x1"), y: at("y", "y0"), y2: at("y", "y1"), ...paint }),
        },
      ];
    }
    case "rule": {
      const [along, across] = mark.axis === "y" ? (["x", "y"] as const) : (["y", "x"] as const);
      const [low, high] = panel[along].range;
      return [
        {
          type: "rule",
          ...enter({
            [across]: { scale: across, value: mark.value },
            [along]: { scale: along, value: low },
            [`${along}2`]: { scale: along, value: high },
            stroke: value(mark.color),
            strokeWidth: value(1.2),
            strokeDash: value(mark.dash ? [6, 4] : []),
          }),
        },
      ];
    }
    case "labels":
      return [
        {
          type: "text",
          ...from,
          ...enter({
            x: at("x"),
            y: at("y"),
            text: { field: "text" },
            align: value("center"),
            baseline: value("middle"),
            fontSize: value(FONT.tick),
            fill: value(mark.color),
          }),
        },
      ];
  }
}

/** The heatmap's outer edges in the panel's units; the image is flipped where an axis runs the other way. */
function image(map: Heatmap, panel: Panel): Json {
  const ends = ([first, step]: readonly [number, number], n: number) =>
    [first - step / 2, first + (n - 0.5) * step].sort((a, b) => a - b);
  const [x0, x1] = ends(map.x, map.columns);
  const [y0, y1] = ends(map.y, map.rows);
  const ascends = ([a, b]: readonly [number, number]) => b > a;
  // An image's first row is at the top, where an ascending axis has its high end.
  const flipX = map.x[1] > 0 !== ascends(panel.x.range);
  const flipY = map.y[1] > 0 === ascends(panel.y.range);
  const [left, right] = ascends(panel.x.range) ? [x0, x1] : [x1, x0];
  const [bottom, top] = ascends(panel.y.range) ? [y0, y1] : [y1, y0];
  return {
    type: "image",
    ...enter({
      url: value(heatmapImage(map, flipX, flipY)),
      x: { scale: "x", value: left },
      y: { scale: "y", value: top },
      width: { signal: `scale('x', ${right}) - scale('x', ${left})` },
      height: { signal: `scale('y', ${bottom}) - scale('y', ${top})` },
      aspect: value(false),
      smooth: value(false),
    }),
  };
}
