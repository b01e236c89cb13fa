/**
 * A panel of lines, points and rules as SVG, written straight: a tenth of what Vega takes, for frames that are drawn every
 * second beside a run that wants the processor.
 */
import { log } from "../../math/index.js";
import { FONT, layoutFigure, shownTicks, tickCount } from "./layout.js";
import { escapeHtml, formatNumber } from "./text.js";
import { type Axis, axisTitle, type Line, type Mark, type Panel, type Points, type Rule } from "./types.js";

type Quick = Line | Points | Rule;

const isQuick = (mark: Mark): mark is Quick => mark.kind === "line" || mark.kind === "points" || mark.kind === "rule";

/** True if `quickSvg` can draw it. */
export const canBeQuick = ({ x, y, marks }: Panel): boolean =>
  marks.every(isQuick) && x.type !== "time" && y.type !== "time";

type Scale = (value: number) => number;

/**
 * @param panel one of which `canBeQuick` is true; its title is not drawn
 * @param width pixels
 * @returns an SVG element in the page's colour of text
 */
export function quickSvg(panel: Panel, width: number, aspect: number | undefined, label: string): string {
  const bare = { ...panel, title: "" };
  const { height, panels } = layoutFigure({ title: "", legend: false, columns: 1, width, aspect, panels: [bare] });
  const [box] = panels;
  const [x, y] = [scaleOf(panel.x, box.x, box.width), scaleOf(panel.y, box.y + box.height, -box.height)];
  const right = box.x + box.width;
  const bottom = box.y + box.height;
  const drawn = panel.marks.filter(isQuick).map((mark) => drawMark(mark, x, y, panel));
  const ticksX = ticksOf(panel.x, tickCount("x", panel.x.type, box.width)).map(
    ({ value, label: name }) =>
      `<path d="M${at(x(value))} ${bottom}v4" stroke="#888"/><text x="${at(x(value))}" y="${bottom + 15}" text-anchor="middle">${escapeHtml(name)}</text>`,
  );
  const ticksY = ticksOf(panel.y, tickCount("y", panel.y.type, box.height)).map(
    ({ value, label: name }) =>
      `<path d="M${box.x} ${at(y(value))}h-4" stroke="#888"/><text x="${box.x - 6}" y="${at(y(value) + 3.5)}" text-anchor="end">${escapeHtml(name)}</text>`,
  );
  const middle = box.y + box.height / 2;
  const titles =
    `<text x="${box.x + box.width / 2}" y="${bottom + 31}" text-anchor="middle" font-size="${FONT.axis}">${escapeHtml(axisTitle(panel.x))}</text>` +
    `<text transform="translate(13 ${middle}) rotate(-90)" text-anchor="middle" font-size="${FONT.axis}">${escapeHtml(axisTitle(panel.y))}</text>`;
  return (
    `<svg role="img" aria-label="${escapeHtml(label)}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="${FONT.tick}" fill="currentColor">` +
    `<svg x="${box.x}" y="${box.y}" width="${box.width}" height="${box.height}" viewBox="${box.x} ${box.y} ${box.width} ${box.height}">${drawn.join("")}</svg>` +
    `<path d="M${box.x} ${box.y}H${right}V${bottom}H${box.x}Z" fill="none" stroke="#888"/>${[...ticksX, ...ticksY].join("")}${titles}</svg>`
  );
}

const at = (pixel: number): string => String(Math.round(10 * pixel) / 10);

function scaleOf({ range: [low, high], type }: Axis, from: number, length: number): Scale {
  if (type !== "log") return (value) => from + ((value - low) / (high - low)) * length;
  const [a, b] = [log(low), log(high)];
  return (value) => from + ((log(value) - a) / (b - a)) * length;
}

function ticksOf(axis: Axis, count: number): readonly { value: number; label: string }[] {
  const own = shownTicks(axis);
  if (own) return thinnedTicks(own, count);
  const [low, high] = [Math.min(...axis.range), Math.max(...axis.range)];
  const step = niceStep((high - low) / count);
  const first = Math.ceil(low / step);
  const n = Math.floor(high / step) - first + 1;
  return Array.from({ length: n }, (_, k) => ({ value: (first + k) * step, label: formatNumber((first + k) * step) }));
}

/** Those that fit: every second, third, ... */
function thinnedTicks<T>(ticks: readonly T[], count: number): T[] {
  const every = Math.max(1, Math.ceil(ticks.length / (1.5 * count)));
  return ticks.filter((_, i) => i % every === 0);
}

/** 1, 2 or 5 times a power of ten, not less than `wanted`. */
function niceStep(wanted: number): number {
  const power = Number(`1${wanted.toExponential().replace(/^[^e]+/, "")}`);
  return (([1, 2, 5] as const).find((k) => k * power >= wanted * 0.999) ?? 10) * power;
}

function drawMark(mark: Quick, x: Scale, y: Scale, panel: Panel): string {
  const ink = mark.color === "#000000" ? "currentColor" : escapeHtml(mark.color);
  const inside = (px: number | null, py: number | null): px is number =>
    px !== null && py !== null && (panel.x.type !== "log" || px > 0) && (panel.y.type !== "log" || py > 0);
  if (mark.kind === "points") {
    const radius = (mark.size ?? 5) / 2;
    const dots = mark.x.map((px, i) =>
      inside(px, mark.y[i]) ? `<circle cx="${at(x(px))}" cy="${at(y(mark.y[i]))}" r="${radius}"/>` : "",
    );
    return `<g fill="${ink}">${dots.join("")}</g>`;
  }
  const stroke = (width: number) =>
    `fill="none" stroke="${ink}" stroke-width="${width}"${mark.dash ? ' stroke-dasharray="6 4"' : ""}`;
  if (mark.kind === "rule") {
    const [low, high] = mark.axis === "y" ? panel.x.range : panel.y.range;
    const d =
      mark.axis === "y"
        ? `M${at(x(low))} ${at(y(mark.value))}H${at(x(high))}`
        : `M${at(x(mark.value))} ${at(y(low))}V${at(y(high))}`;
    return `<path d="${d}" ${stroke(1.2)}/>`;
  }
  let command = "M";
  const d = mark.x.map((px, i) => {
    const py = mark.y[i];
    if (!inside(px, py)) {
      command = "M";
      return "";
    }
    const piece = `${command}${at(x(px))} ${at(y(py as number))}`;
    command = "L";
    return piece;
  });
  const opacity = mark.opacity === undefined ? "" : ` stroke-opacity="${mark.opacity}"`;
  return `<path d="${d.join("")}" ${stroke(mark.width ?? 1.5)}${opacity}/>`;
}
