/** A figure as SVG text, for GitHub, PDF and headless runs. */
import { createHash } from "node:crypto";
import { escapeHtml } from "./text.js";
import { axisTitle, type Figure } from "./types.js";
import { vegaSpec } from "./vega.js";

/**
 * Draws a figure without a browser. Vega is loaded with the first figure.
 * @returns an SVG document of the figure's size
 */
export async function svgFigure(figure: Figure): Promise<string> {
  const vega = await import("vega");
  const view = new vega.View(vega.parse(vegaSpec(figure)), { renderer: "none", logLevel: vega.Error });
  try {
    return ownIds(await view.toSVG()).replace("<svg ", `<svg role="img" aria-label="${escapeHtml(altText(figure))}" `);
  } finally {
    view.finalize();
  }
}

/** What a figure shows, in a sentence for those who do not see it. */
function altText({ title, panels }: Figure): string {
  const parts = panels.map(
    ({ title: name, x, y }) => `${name || "panel"}: ${axisTitle(y) || "y"} over ${axisTitle(x) || "x"}`,
  );
  return `${title}. ${parts.join("; ")}`;
}

/**
 * Vega numbers clips and gradients over the life of the process. Named after the figure's content instead, the same
 * figure is the same text, and figures in one page do not take each other's colours.
 */
function ownIds(svg: string): string {
  const ids = [...svg.matchAll(/ id="((?:clip|gradient_)\d+)"/g)].map(([, id]) => id);
  const rename = (name: (k: number) => string) =>
    svg.replace(/( id="|url\(#|href="#)((?:clip|gradient_)\d+)\b/g, (whole, before, id) =>
      ids.includes(id) ? `${before}${name(ids.indexOf(id))}` : whole,
    );
  const hash = createHash("sha256").update(rename(String)).digest("hex").slice(0, 8);
  return rename((k) => `f${hash}-${k}`);
}
