/** A figure as SVG text, for GitHub, PDF and headless runs. */
import type { Figure } from "./types.js";
import { vegaSpec } from "./vega.js";

/**
 * Draws a figure without a browser. Vega is loaded with the first figure.
 * @returns an SVG document of the figure's size
 */
export async function svgFigure(figure: Figure): Promise<string> {
  const vega = await import("vega");
  const view = new vega.View(vega.parse(vegaSpec(figure)), { renderer: "none", logLevel: vega.Error });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}
