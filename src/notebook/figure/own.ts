/** `nb.plotly`: a figure of Plotly that one has made oneself. */
import { AtmorepError } from "../../errors.js";
import { displayed, type Shown } from "./display.js";
import type { PlotlyFigure, PlotlyTrace } from "./plotly.js";

/** As plotly.js takes it; `layout` may be left out. */
export interface PlotlySpec {
  data: readonly PlotlyTrace[];
  layout?: Record<string, unknown>;
  config?: Record<string, unknown>;
  frames?: readonly object[];
}

/**
 * Shows a figure of Plotly where it ends a cell, in a front end that has Plotly (JupyterLab, VS Code, nbviewer). The functions of this
 * module draw both ways; prefer `show`, whose figures have a picture too.
 * @throws AtmorepError (input) if it is not one
 * @example plotly({ data: [{ type: "scatter", x: [0, 1], y: [2, 5] }] });
 */
export function plotly(spec: PlotlySpec): Shown<PlotlyFigure> {
  if (!Array.isArray(spec?.data)) {
    throw new AtmorepError("input", "not a figure of Plotly", {
      expected: "{ data: [TRACE, ...], layout: {...} }",
      fix: 'plotly({ data: [{ type: "scatter", x: [0, 1], y: [2, 5] }] })',
    });
  }
  const figure = { layout: {}, ...(plain(spec) as PlotlySpec) } as PlotlyFigure;
  const kinds = [...new Set(figure.data.map(({ type }) => String(type ?? "scatter")))].join(", ");
  const title = titleOf(figure.layout.title);
  return displayed(figure, async () => ({
    "application/vnd.plotly.v1+json": figure,
    "text/plain": `[figure] ${title ? `${title}: ` : ""}${figure.data.length} traces of Plotly: ${kinds}`,
  }));
}

function titleOf(title: unknown): string {
  if (typeof title === "string") return title;
  const text = (title as { text?: unknown } | undefined)?.text;
  return typeof text === "string" ? text : "";
}

/** Typed arrays as lists: in JSON they would be objects. */
export function plain(value: unknown): unknown {
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return Array.from(value as unknown as ArrayLike<number | bigint>, Number).map((x) =>
      Number.isFinite(x) ? x : null,
    );
  }
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part)]));
}
