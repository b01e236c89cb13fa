/** How a run went and how it was configured; lines for what no other view draws. */
import type { ResolvedConfig } from "../../config/resolve.js";
import type { RunConfig } from "../../config/types.js";
import { readRun } from "../../runs/list.js";
import { type RunReference, runPlace } from "../../runs/locate.js";
import { type Shown, show } from "../figure/display.js";
import { showTable, type Table } from "../figure/table.js";
import type { Figure } from "../figure/types.js";
import { runParts } from "../runs/parts.js";
import { type ConfigTableOptions, configTable } from "../tables.js";
import * as views from "../views/index.js";

/**
 * Loss terms, validation and (with `baselines`) the simple baselines of a run.
 * @example await losses("ab12cd34");
 */
export async function losses(
  run: (RunReference & Pick<views.TrainingView, "baselines" | "skills">) | string,
  options: { out?: string } = {},
): Promise<Shown<Figure>> {
  const { id, out } = runPlace(run, options.out);
  const details = await readRun(out, id);
  const rates = views.ratePoints(await runParts(details, out));
  const known = typeof run === "string" ? {} : { baselines: run.baselines, skills: run.skills };
  return show(views.trainingFigure({ runId: id, rows: details.metrics, rates, ...known }));
}

/**
 * The learning rate of each epoch.
 * @example learningRate(config);
 */
export function learningRate(config: RunConfig): Shown<Figure> {
  return show(views.learningRateFigure(config));
}

/**
 * A configuration with what its keys mean and what differs from its preset.
 * @example config(resolveConfig({ preset: "storm", set: { dropout_rate: 0.1 } }));
 */
export function config(cfg: RunConfig | ResolvedConfig, options: ConfigTableOptions = {}): Shown<Table> {
  return showTable(configTable(cfg, options));
}

/**
 * Lines over one axis, one panel a description: for what no other view draws.
 * @example lines("Squares", [{ x: ["x", ""], y: ["x²", ""], at: [0, 1, 2], lines: { squares: [0, 1, 4] } }]);
 */
export function lines(
  title: string,
  panels: readonly views.LinesPanel[],
  options: views.LinesOptions = {},
): Shown<Figure> {
  return show(views.linesFigure(title, panels, options));
}
