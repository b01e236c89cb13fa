/** An interactive figure as a web page that needs nothing else. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { plotlyFigure } from "./plotly.js";
import { escapeHtml } from "./text.js";
import type { Figure } from "./types.js";

/**
 * A page with plotly.js inside (about 5 MB): for sending a figure to somebody, not for notebooks.
 * @example await writeFile("figure.html", await figurePage(figure));
 */
export async function figurePage(figure: Figure): Promise<string> {
  const library = await readFile(createRequire(import.meta.url).resolve("plotly.js-dist/plotly.js"), "utf8");
  // "<" cannot end the script element from within a string.
  const json = JSON.stringify(plotlyFigure(figure)).replaceAll("<", "\\u003c");
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(figure.title)}</title></head>
<body><div id="figure"></div>
<script>${library.replaceAll("</script", "<\\/script")}</script>
<script>const f = ${json}; Plotly.newPlot("figure", f).then(() => { document.body.dataset.drawn = "yes"; });</script>
</body></html>
`;
}
