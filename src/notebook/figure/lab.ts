/** A figure for JupyterLab: Plotly's, in the colours of the theme, clear of the toolbar, as wide as the notebook. */
import { type PlotlyFigure, plotlyFigure } from "./plotly.js";
import type { Figure } from "./types.js";

/**
 * JupyterLab's and VS Code's colour of text. Elsewhere, and in the picture that JupyterLab keeps of a figure, a grey that can be
 * read on white and on black.
 */
export const INK = "var(--jp-content-font-color1, var(--vscode-foreground, #767676))";
const GREY = "#767676";
const CLEAR = "rgba(0,0,0,0)";
/** Pixels above the figure, where plotly.js shows its tools and buttons stand. */
const TOOLBAR = 36;

type Parts = Record<string, unknown>;

/** The Plotly figure of an output. Text is coloured by tags of its own: plotly.js takes no variables as colours. */
export function labFigure(figure: Figure): PlotlyFigure {
  const { data, layout, config, ...rest } = plotlyFigure(figure);
  const onMap = figure.panels.some(({ marks }) => marks.some(({ kind }) => kind === "heatmap"));
  const themed: Parts = Object.fromEntries(
    Object.entries(layout).map(([key, value]) => [key, /^[xy]axis/.test(key) ? axisOf(value as Parts) : value]),
  );
  const annotations = (layout.annotations as Parts[]).map((part) => ({ ...part, text: inked(String(part.text)) }));
  const { width: _width, ...loose } = { ...themed };
  return {
    ...rest,
    data: data.map(visible),
    layout: {
      ...(figure.stretch ? { ...loose, autosize: true } : themed),
      annotations,
      shapes: (layout.shapes as Parts[]).map(visibleShape),
      height: Number(layout.height) + TOOLBAR,
      margin: { l: 0, r: 0, t: TOOLBAR, b: 0 },
      paper_bgcolor: CLEAR,
      // missing cells of a map, and coasts over them
      plot_bgcolor: onMap ? "white" : CLEAR,
      font: { ...(layout.font as Parts), color: GREY },
      modebar: { bgcolor: CLEAR, color: GREY, activecolor: "#1f77b4" },
    },
    config: { ...config, modeBarButtonsToRemove: ["select2d", "lasso2d", "zoomIn2d", "zoomOut2d", "autoScale2d"] },
  };
}

const inked = (text: string): string => (text === "" ? "" : `<span style="color:${INK}">${text}</span>`);

function axisOf(axis: Parts): Parts {
  const title = axis.title as { text: string } | undefined;
  return title ? { ...axis, title: { ...title, text: inked(title.text) } } : axis;
}

const BLACK = "#000000";
const ON_ALL = "#808080";

const grey = (part: unknown) => {
  const own = part as { color?: string } | undefined;
  return own?.color === BLACK ? { ...own, color: ON_ALL } : part;
};

function visibleShape(shape: Parts): Parts {
  const fill = shape.fillcolor === BLACK ? { fillcolor: ON_ALL } : {};
  return { ...shape, line: grey(shape.line), ...fill };
}

/** Black lines and points would vanish on a dark page. */
function visible(trace: Parts): Parts {
  const colorbar = trace.colorbar as { title: { text: string } } | undefined;
  return {
    ...trace,
    ...(trace.line ? { line: grey(trace.line) } : {}),
    ...(trace.marker ? { marker: grey(trace.marker) } : {}),
    ...(colorbar ? { colorbar: { ...colorbar, title: { ...colorbar.title, text: inked(colorbar.title.text) } } } : {}),
  };
}
