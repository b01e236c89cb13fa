/**
 * Displays for notebooks (`atmorep/notebook`): each call ends a cell with a figure, drawn twice in one output
 * (Plotly for JupyterLab, SVG for everything else), or with a table. The figures are plain data; `views` makes them
 * without showing them. Loads no plotting library before the first figure.
 *
 * @example
 * import * as atmorep from "atmorep";
 * import * as nb from "atmorep/notebook";
 * const { config } = atmorep.resolveConfig({ preset: "storm" });
 * const prepared = await atmorep.prepare(config);
 * nb.masks(prepared, { strategies: ["BERT", "forecast"] });
 * @module atmorep/notebook
 */

export type { RunReference } from "../runs/locate.js";
export { metrics } from "../runs/metricsTable.js";
export { type ShellOutput, sh } from "./cells/shell.js";
export { type TimeOptions, type Timing, time } from "./cells/time.js";
export { EXPECT_TYPE, type Expectation, expect } from "./expect.js";
export {
  DISPLAY,
  type Displayable,
  figureBundle,
  figureText,
  type MimeBundle,
  type Shown,
  show,
} from "./figure/display.js";
export { type DisplayContent, displaySender, LiveFigure, type LiveOptions, type SendDisplay } from "./figure/live.js";
export { type PlotlySpec, plotly } from "./figure/own.js";
export { figurePage } from "./figure/page.js";
export { type PlotlyFigure, plotlyFigure } from "./figure/plotly.js";
export type { LooseAxis, LooseFigure, LoosePanel } from "./figure/ranges.js";
export { type ColumnTable, type Savable, save } from "./figure/save.js";
export { svgFigure } from "./figure/svg.js";
export { showTable, type Table, tableHtml, tableText } from "./figure/table.js";
export type * from "./figure/types.js";
export { batchGrids, type Grid, type GridChoice, storeGrid } from "./grids.js";
export type { ReportOptions } from "./report/runReport.js";
export { report, type WrittenReport } from "./report/shown.js";
export { type Comparison, compare } from "./runs/compare.js";
export { type Prediction, type PredictionChoice, readPrediction } from "./runs/predictions.js";
export { type StartedRun, type StartOptions, start } from "./runs/start.js";
export { type LastRun, type LiveTrainOptions, lastRun, type TrainedRun, train } from "./runs/train.js";
export { type WatchOptions, watch } from "./runs/watch.js";
export * from "./shown/data.js";
export * from "./shown/masks.js";
export * from "./shown/network.js";
export * from "./shown/predictions.js";
export * from "./shown/runs.js";
export * from "./shown/scores.js";
export { filesTable as files } from "./tables.js";
export * as views from "./views/index.js";
export * from "./widgets/explore.js";
export {
  type Control,
  type Interaction,
  type InteractOptions,
  interact,
  type Range,
  type ValuesOf,
} from "./widgets/interact.js";
export type { MakeWidget, Widget } from "./widgets/kernel.js";

import { registerDisplayers } from "./values/index.js";

registerDisplayers();
