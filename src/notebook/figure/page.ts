/** Figures and tables as web pages that need nothing else. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { type PlotlyFigure, plotlyFigure } from "./plotly.js";
import { escapeHtml } from "./text.js";
import type { Figure } from "./types.js";

/**
 * A page with plotly.js inside (about 5 MB): for sending a figure to somebody, not for notebooks.
 * @example await writeFile("figure.html", await figurePage(figure));
 */
export const figurePage = (figure: Figure): Promise<string> => plotlyPage(figure.title, plotlyFigure(figure));

/** The same of a figure of Plotly. */
export async function plotlyPage(title: string, figure: PlotlyFigure): Promise<string> {
  const library = await readFile(createRequire(import.meta.url).resolve("plotly.js-dist/plotly.js"), "utf8");
  // "<" cannot end the script element from within a string.
  const json = JSON.stringify(figure).replaceAll("<", "\\u003c");
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(title)}</title></head>
<body><div id="figure"></div>
<script>${library.replaceAll("</script", "<\\/script")}</script>
<script>const f = ${json}; Plotly.newPlot("figure", f).then(() => { document.body.dataset.drawn = "yes"; });</script>
</body></html>
`;
}

/** A page around HTML that is already escaped. */
export const tablePage = (title: string, html: string): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(title)}</title>
<style>body { font-family: sans-serif; } td, th { padding: 2px 10px 2px 0; text-align: left; }</style></head>
<body>${html}</body></html>
`;
