/** Reading figures back from what the emitters made. */
import { unzlibSync } from "fflate";
import { type Box, layoutFigure } from "../../src/notebook/figure/layout.js";
import type { PlotlyFigure, PlotlyTrace } from "../../src/notebook/figure/plotly.js";
import type { Axis, Figure } from "../../src/notebook/figure/types.js";

/** Points of the polyline of this colour in an SVG, in the units of a panel's axes. */
export function svgPoints(svg: string, figure: Figure, p: number, color: string): [number, number][] {
  const path = new RegExp(`d="([^"]+)"[^>]*stroke="${color}"`).exec(svg)?.[1] ?? "";
  const box = layoutFigure(figure).panels[p];
  const { x, y } = figure.panels[p];
  return [...path.matchAll(/[ML](-?[\d.]+),(-?[\d.]+)/g)].map(([, px, py]) => [
    fromPixel(Number(px), box.width, x),
    fromPixel(box.height - Number(py), box.height, y),
  ]);
}

function fromPixel(pixel: number, size: number, { range, type }: Axis): number {
  const share = pixel / size;
  if (type === "log") return Math.exp(Math.log(range[0]) + share * (Math.log(range[1]) - Math.log(range[0])));
  return range[0] + share * (range[1] - range[0]);
}

/** Every text of an SVG, unescaped. */
export function svgTexts(svg: string): string[] {
  const spans = [...svg.matchAll(/<(?:text|tspan)[^>]*>([^<]*)</g)].map(([, text]) => text);
  return spans
    .filter((text) => text !== "")
    .map((text) =>
      text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&"),
    );
}

/** Pixels [rows][columns] of the n-th image of an SVG as `r,g,b,a`. */
export function svgPixels(svg: string, n: number): string[][] {
  const uri = [...svg.matchAll(/data:image\/png;base64,([^"]+)"/g)][n][1];
  const png = Buffer.from(uri, "base64");
  const [columns, rows] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  const length = png.readUInt32BE(33);
  const pixels = unzlibSync(png.subarray(41, 41 + length));
  return Array.from({ length: rows }, (_, r) =>
    Array.from({ length: columns }, (_, c) => {
      const at = r * (4 * columns + 1) + 1 + 4 * c;
      return pixels.subarray(at, at + 4).join(",");
    }),
  );
}

/** The colour that plotly.js gives a value of a heatmap: linear between the scale's anchors. */
export function plotlyColor(trace: PlotlyTrace, value: number): [number, number, number] {
  const { zmin, zmax, colorscale } = trace as { zmin: number; zmax: number; colorscale: [number, string][] };
  const share = Math.min(1, Math.max(0, (value - zmin) / (zmax - zmin)));
  const above = Math.max(
    1,
    colorscale.findIndex(([at]) => at >= share - 1e-12),
  );
  const [[low, from], [high, to]] = [colorscale[above - 1], colorscale[above]];
  const mix = high > low ? (share - low) / (high - low) : 1;
  const channel = (hex: string, i: number) => Number.parseInt(hex.slice(1 + 2 * i, 3 + 2 * i), 16);
  const of = (i: number) => channel(from, i) + mix * (channel(to, i) - channel(from, i));
  return [of(0), of(1), of(2)];
}

/** The axis object of a panel in a Plotly layout. */
export function plotlyAxis(figure: PlotlyFigure, side: "x" | "y", p: number): Record<string, never> {
  return figure.layout[`${side}axis${p === 0 ? "" : p + 1}`] as Record<string, never>;
}

/** True if a box lies inside another. */
export const inside = (inner: Box, width: number, height: number): boolean =>
  inner.x >= 0 && inner.y >= 0 && inner.x + inner.width <= width && inner.y + inner.height <= height;
